// What a Node.js program relies on, against a running set: `make clients-test` starts one and says where it is.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, connect as dial } from "node:net";
import { after, test } from "node:test";

import { connect, follow, Refused } from "./njia.mjs";

const { NJIA_ENGINE_TARGET, NJIA_API_KEY, NJIA_EMULATOR_URL, ...env } = process.env;
const certificates = {
  ca: readFileSync(env.NJIA_TLS_CA_FILE),
  cert: readFileSync(env.NJIA_TLS_CERT_FILE),
  key: readFileSync(env.NJIA_TLS_KEY_FILE),
};
const access = { apiKey: NJIA_API_KEY, ...certificates };

const engine = connect("EngineService", NJIA_ENGINE_TARGET, access);
const flows = connect("WorkflowService", NJIA_ENGINE_TARGET, access);
after(() => [engine, flows].forEach((client) => client.close()));

let numbers = 0;
const newId = (prefix) => `${prefix}-${(numbers += 1)}`;
const newPhone = () => `+254711${300_000 + (numbers += 1)}`;

const SMS = { id: "send", type: "SEND_SMS", config: { to: "{{msisdn}}", message: "hello {{message}}" } };

/** A flow that runs these nodes one after the other. */
function flow(nodes, settings) {
  const ids = ["start", ...nodes.map((node) => node.id)];
  return {
    metadata: {
      workflowId: newId("node"),
      version: 1,
      name: "A flow of a Node.js client",
      createdBy: "tests",
      createdAt: "2026-01-01T00:00:00Z",
    },
    trigger: { id: "start", type: "SMS_RECEIVED", config: {} },
    nodes,
    edges: ids.slice(1).map((target, index) => ({ id: `e${index}`, source: ids[index], target })),
    ...(settings && { settings }),
  };
}

const pause = (durationMs) => ({ id: "pause", type: "DELAY", config: { duration: durationMs } });

/** The request that runs a flow which comes with the call. */
function run(spec, phone, more = {}) {
  const triggerPayloadJson = JSON.stringify({ msisdn: phone, message: "node" });
  return { workflow: { workflowJson: JSON.stringify(spec) }, triggerPayloadJson, ...more };
}

/** The texts that a phone has got. */
async function sentTo(phone) {
  const answer = await fetch(`${NJIA_EMULATOR_URL}/control/messages?to=${encodeURIComponent(phone)}`);
  return (await answer.json()).messages.map((message) => message.text);
}

async function refusal(call) {
  const error = await call.then(
    (answer) => assert.fail(`the call was answered: ${JSON.stringify(answer)}`),
    (thrown) => thrown,
  );
  assert.ok(error instanceof Refused, error.stack);
  return error;
}

test("a saved flow is executed, and its events are followed to the end", async () => {
  const phone = newPhone();
  const saved = await flows.SaveWorkflow({ source: { workflowJson: JSON.stringify(flow([pause(300), SMS])) } });
  const { result } = await engine.Execute({
    ref: { workflowId: saved.workflow.workflowId },
    triggerPayloadJson: JSON.stringify({ msisdn: phone, message: "node" }),
    options: { waitMs: 0 },
  });
  assert.equal(result.status, "EXECUTION_STATUS_RUNNING");

  const events = [];
  for await (const event of follow(engine, result.executionId)) events.push(event);

  const answered = events.filter((event) => event.event === "nodeResult").map((event) => event.nodeResult);
  assert.deepEqual(
    answered.map((node) => [node.nodeId, node.status]),
    ["start", "pause", "send"].map((id) => [id, "NODE_STATUS_SUCCESS"]),
  );
  assert.equal(events.at(-1).execution.status, "EXECUTION_STATUS_COMPLETED");
  assert.equal(events.at(-1).sequence, 3);
  assert.deepEqual(await sentTo(phone), ["hello node"]);
});

test("a call that runs out of time ends the wait of the caller, not the execution", async () => {
  const phone = newPhone();
  const request = run(flow([pause(1500), SMS]), phone, { idempotencyKey: newId("late") });
  const late = await refusal(engine.Execute(request, { deadlineMs: 500 }));
  assert.equal(late.code, "DEADLINE_EXCEEDED");

  const { result } = await engine.Execute(request);
  for await (const _ of follow(engine, result.executionId));
  const { execution } = await engine.GetExecution({ executionId: result.executionId });
  assert.equal(execution.status, "EXECUTION_STATUS_COMPLETED");
  assert.deepEqual(await sentTo(phone), ["hello node"]);
});

test("a refusal carries its google.rpc details", async () => {
  const broken = await refusal(engine.Execute(run(flow([{ ...SMS, config: { message: "x" } }]), newPhone())));
  assert.equal(broken.code, "INVALID_ARGUMENT");
  assert.equal(broken.reason, "COMPILATION_FAILED");
  assert.deepEqual(
    broken.violations.map(({ field, reason }) => [field, reason]),
    [["nodes[0].config.to", "MISSING_REQUIRED_FIELD"]],
  );

  const missing = await refusal(engine.GetExecution({ executionId: "none" }));
  assert.deepEqual(
    [missing.code, missing.reason, missing.metadata],
    ["NOT_FOUND", "EXECUTION_NOT_FOUND", { execution_id: "none" }],
  );

  const single = flow([pause(60_000)], { maxConcurrentExecutions: 1 });
  const { result } = await engine.Execute(run(single, newPhone(), { options: { waitMs: 0 } }));
  const busy = await refusal(engine.Execute(run(single, newPhone())));
  await engine.CancelExecution({ executionId: result.executionId });
  assert.deepEqual([busy.code, busy.reason, busy.retryAfterMs], ["RESOURCE_EXHAUSTED", "WORKFLOW_BUSY", 5000]);
});

test("a call without a certificate does not get through", async () => {
  const stranger = connect("EngineService", NJIA_ENGINE_TARGET, { apiKey: NJIA_API_KEY, ca: certificates.ca });
  const refused = await refusal(stranger.GetExecution({ executionId: "none" }));
  stranger.close();
  assert.equal(refused.code, "UNAVAILABLE");
});

test("a call without a key is refused", async () => {
  const stranger = connect("EngineService", NJIA_ENGINE_TARGET, certificates);
  const refused = await refusal(stranger.GetExecution({ executionId: "none" }));
  stranger.close();
  assert.deepEqual([refused.code, refused.reason], ["UNAUTHENTICATED", "API_KEY_REQUIRED"]);
});

test("a repeat with the same idempotency key gets the first answer and sends nothing", async () => {
  const phone = newPhone();
  const request = run(flow([SMS]), phone, { idempotencyKey: newId("once") });
  const [first, second] = [await engine.Execute(request), await engine.Execute(request)];
  assert.equal(second.result.executionId, first.result.executionId);
  assert.deepEqual(await sentTo(phone), ["hello node"]);

  const other = await refusal(engine.Execute({ ...request, triggerPayloadJson: "{}" }));
  assert.deepEqual([other.code, other.reason], ["INVALID_ARGUMENT", "IDEMPOTENCY_KEY_REUSED"]);
});

test("an answer that is lost with its connection is asked for again, and nothing is sent twice", async () => {
  const phone = newPhone();
  const relay = await counting(NJIA_ENGINE_TARGET);
  const client = connect("EngineService", relay.target, access);
  const spec = flow([pause(1500), SMS]);
  const answered = client.Execute(run(spec, phone));
  // It has begun, so that the request has arrived and the answer is what is lost.
  const begun = async () => (await engine.ListExecutions({ workflowId: spec.metadata.workflowId })).executions;
  while ((await begun()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  relay.cut();
  const { result } = await answered;
  for await (const _ of follow(client, result.executionId));
  client.close();
  relay.close();
  assert.deepEqual((await begun()).map(({ executionId }) => executionId), [result.executionId]);
  assert.deepEqual(await sentTo(phone), ["hello node"]);
  assert.ok(relay.connections >= 2);
});

test("a cancelled execution ends what follows it, and cannot be cancelled again", async () => {
  const phone = newPhone();
  const { result } = await engine.Execute(run(flow([pause(600_000), SMS]), phone, { options: { waitMs: 0 } }));
  const statuses = [];
  for await (const event of follow(engine, result.executionId)) {
    if (event.event !== "execution") continue;
    statuses.push(event.execution.status);
    if (event.execution.waitingFor) await engine.CancelExecution({ executionId: result.executionId });
  }
  assert.equal(statuses.at(-1), "EXECUTION_STATUS_CANCELLED");
  assert.deepEqual(await sentTo(phone), []);

  const again = await refusal(engine.CancelExecution({ executionId: result.executionId }));
  assert.deepEqual([again.code, again.reason], ["FAILED_PRECONDITION", "EXECUTION_ENDED"]);
  assert.deepEqual(again.metadata, { execution_id: result.executionId, status: "cancelled" });
});

test("a reader that has seen enough leaves, and the stream ends at the server", async () => {
  // The engine serves 200 streams at once: more than that one after the other pass only if none stays behind.
  const { result } = await engine.Execute(run(flow([pause(600_000)]), newPhone(), { options: { waitMs: 0 } }));
  for (let round = 0; round < 250; round += 1) {
    for await (const event of engine.WatchExecution({ executionId: result.executionId })) {
      assert.ok(event.sequence <= 1);
      break;
    }
  }
  await engine.CancelExecution({ executionId: result.executionId });
});

test("connections that the server asks to end are made anew, and neither call nor stream notices", async () => {
  const relay = await counting(NJIA_ENGINE_TARGET);
  const client = connect("EngineService", relay.target, access);
  const { result } = await client.Execute(run(flow([pause(600_000)]), newPhone(), { options: { waitMs: 0 } }));
  const seen = [];
  const followed = (async () => {
    for await (const event of client.WatchExecution({ executionId: result.executionId })) seen.push(event);
  })();
  // A server lets a connection live for 30 s, give or take a tenth, and waits for calls on it.
  const ends = Date.now() + 120_000;
  let calls = 0;
  while (relay.connections < 2) {
    assert.ok(Date.now() < ends, "still the first connection after 120 s");
    await client.GetExecution({ executionId: result.executionId });
    calls += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await client.CancelExecution({ executionId: result.executionId });
  await followed;
  client.close();
  relay.close();
  assert.ok(calls > 100);
  assert.equal(seen.at(-1).execution.status, "EXECUTION_STATUS_CANCELLED");
});

/** A relay to a target that counts the connections which came. */
async function counting(target) {
  const [host, port] = target.split(":");
  const sockets = new Set();
  const counted = { connections: 0 };
  const server = createServer((near) => {
    counted.connections += 1;
    const far = dial(Number(port), host);
    for (const [from, to] of [[near, far], [far, near]]) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => sockets.delete(from) && to.destroy());
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  counted.target = `127.0.0.1:${server.address().port}`;
  counted.cut = () => sockets.forEach((socket) => socket.destroy());
  counted.close = () => {
    server.close();
    counted.cut();
  };
  return counted;
}
