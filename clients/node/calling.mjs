// Executes flows and follows them until its standard input ends; engines may be restarted meanwhile. Each execution
// must be answered, followed to its end and have sent one SMS. Prints a line when it begins and a JSON document at the
// end.

import { readFileSync } from "node:fs";

import { connect, follow } from "./njia.mjs";

const env = process.env;
const engine = connect("EngineService", env.NJIA_ENGINE_TARGET, {
  apiKey: env.NJIA_API_KEY,
  ca: readFileSync(env.NJIA_TLS_CA_FILE),
  cert: readFileSync(env.NJIA_TLS_CERT_FILE),
  key: readFileSync(env.NJIA_TLS_KEY_FILE),
});

const FLOW = JSON.stringify({
  metadata: {
    workflowId: "calling",
    version: 1,
    name: "Calling",
    createdBy: "tests",
    createdAt: "2026-01-01T00:00:00Z",
  },
  trigger: { id: "start", type: "SMS_RECEIVED", config: {} },
  nodes: [
    { id: "pause", type: "DELAY", config: { duration: 200 } },
    { id: "send", type: "SEND_SMS", config: { to: "{{msisdn}}", message: "hello" } },
  ],
  edges: [
    { id: "e1", source: "start", target: "pause" },
    { id: "e2", source: "pause", target: "send" },
  ],
});

let ends = false;
process.stdin.on("end", () => (ends = true)).resume();

const told = { executions: 0, watched: 0, failures: [] };

async function execute(phone) {
  const { result } = await engine.Execute({
    workflow: { workflowJson: FLOW },
    triggerPayloadJson: JSON.stringify({ msisdn: phone }),
    options: { waitMs: 0 },
  });
  told.executions += 1;
  let last;
  for await (const event of follow(engine, result.executionId)) last = event;
  if (last?.execution?.status !== "EXECUTION_STATUS_COMPLETED") throw new Error(`ended as ${JSON.stringify(last)}`);
  told.watched += 1;
  const answer = await fetch(`${env.NJIA_EMULATOR_URL}/control/messages?to=${encodeURIComponent(phone)}`);
  const { messages } = await answer.json();
  if (messages.length !== 1) throw new Error(`${messages.length} SMS`);
}

async function caller(number) {
  for (let round = 0; !ends; round += 1) {
    const phone = `+2547114${number}${String(round).padStart(4, "0")}`;
    await execute(phone).catch((error) => told.failures.push(`${phone}: ${error.code ?? ""} ${error.stack}`));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const callers = [0, 1, 2].map(caller);
console.log("calling");
await Promise.all(callers);
engine.close();
console.log(JSON.stringify(told));
