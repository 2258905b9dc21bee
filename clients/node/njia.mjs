// A client of Njia in Node.js. It reads the contracts from protos/; nothing is generated.
//
//   const engine = connect("EngineService", "127.0.0.1:50052", { apiKey: process.env.NJIA_API_KEY });
//   const { result } = await engine.Execute({ ref: { workflowId: "price-by-sms" }, triggerPayloadJson: "{}" });
//   for await (const event of follow(engine, result.executionId)) console.log(event);

import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

import { detailsOf } from "./google-rpc.mjs";

const PROTOS = fileURLToPath(new URL("../../protos", import.meta.url));

const CONTRACTS = {
  AtAdapterService: "at_adapter/v1/at_adapter_service",
  EngineService: "engine/v1/engine_service",
  SessionService: "sessions/v1/sessions_service",
  ValidatorService: "validator/v1/validator_service",
  WorkflowService: "engine/v1/workflow_service",
};

// Numbers are numbers, enums their names; fields that are not set have their defaults.
const READING = { includeDirs: [PROTOS], longs: Number, enums: String, defaults: true, oneofs: true };

const LONGEST_CALL_MS = 30_000;

const CHANNEL = {
  "grpc.service_config": JSON.stringify({
    // Every replica behind a name, or of a list of addresses, gets its share.
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: [
      {
        // A second time makes a second one.
        name: [
          { service: "njia.engine.v1.EngineService", method: "ReplayExecution" },
          { service: "njia.engine.v1.WorkflowService", method: "SaveWorkflow" },
        ],
      },
      {
        name: [{}],
        retryPolicy: {
          maxAttempts: 5,
          initialBackoff: "0.1s",
          maxBackoff: "2s",
          backoffMultiplier: 2,
          // Nothing was done, or the answer was lost with its connection: then the idempotency key finds it.
          retryableStatusCodes: ["UNAVAILABLE"],
        },
      },
    ],
  }),
  // The servers take a question every 10 s and close connections that ask more often.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
};

/**
 * A call that was refused.
 *
 * code: name of the gRPC status; reason: what the contract lists (ErrorInfo), else the code; metadata: more facts;
 * violations: faults of single fields (BadRequest); retryAfterMs: when to come back (RetryInfo), if it says so.
 */
export class Refused extends Error {
  constructor(error) {
    super(error.details, { cause: error });
    const { ErrorInfo, BadRequest, RetryInfo } = detailsOf(error);
    this.code = grpc.status[error.code];
    this.reason = ErrorInfo?.reason ?? this.code;
    this.metadata = ErrorInfo?.metadata ?? {};
    this.violations = BadRequest?.fieldViolations ?? [];
    this.retryAfterMs = RetryInfo && milliseconds(RetryInfo.retryDelay);
  }
}

/**
 * Returns a client with a function for each RPC: `await client.Execute(request, { deadlineMs })` answers with the
 * message or throws Refused; of a stream it returns the messages, to be read with `for await`. Calls are repeated where
 * a server is not available; so that this is safe, a request that takes an idempotency key and has none gets one.
 *
 * target: such as 127.0.0.1:50052, dns:///engine:50052 or ipv4:10.0.0.1:50052,10.0.0.2:50052. apiKey: sent with every
 * call. ca: PEM of who signed the server's certificate; plain text without it. key, cert: PEM of the client's own,
 * which servers ask for that know whom to trust (NJIA_TLS_CA_FILE).
 */
export function connect(service, target, { apiKey, ca, key = null, cert = null } = {}) {
  const contract = CONTRACTS[service];
  const loaded = grpc.loadPackageDefinition(loadSync(`njia/${contract}.proto`, READING));
  const [domain, version] = contract.split("/");
  const Client = loaded.njia[domain][version][service];
  const credentials = ca ? grpc.credentials.createSsl(ca, key, cert) : grpc.credentials.createInsecure();
  const stub = new Client(target, credentials, CHANNEL);
  const calls = Object.entries(Client.service).map(([name, method]) => [
    name,
    method.responseStream ? streaming(stub, method, apiKey) : unary(stub, method, apiKey),
  ]);
  return { ...Object.fromEntries(calls), close: () => stub.close() };
}

/**
 * Yields what happens in an execution until it has ended. Where a stream breaks off, since the server closes or is
 * gone, it goes on behind the last sequence.
 */
export async function* follow(engine, executionId) {
  let sequence = 0;
  for (;;) {
    try {
      for await (const event of engine.WatchExecution({ executionId, afterSequence: sequence })) {
        sequence = event.sequence;
        yield event;
      }
      return;
    } catch (refused) {
      if (refused.code !== "UNAVAILABLE") throw refused;
      await new Promise((resolve) => setTimeout(resolve, refused.retryAfterMs ?? 200));
    }
  }
}

function unary(stub, method, apiKey) {
  const takesKey = method.requestType.type.field.some(({ name }) => name === "idempotencyKey");
  return (request, { deadlineMs = LONGEST_CALL_MS } = {}) =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + deadlineMs;
      const sent = takesKey ? { idempotencyKey: randomUUID(), ...request } : request;
      stub[method.originalName](sent, metadata(apiKey), { deadline }, (error, answer) =>
        error ? reject(new Refused(error)) : resolve(answer),
      );
    });
}

function streaming(stub, method, apiKey) {
  return async function* (request) {
    const stream = stub[method.originalName](request, metadata(apiKey));
    try {
      yield* stream;
    } catch (error) {
      throw new Refused(error);
    } finally {
      stream.cancel();
    }
  };
}

const milliseconds = ({ seconds, nanos }) => seconds * 1000 + nanos / 1e6;

function metadata(apiKey) {
  const sent = new grpc.Metadata();
  if (apiKey) sent.set("authorization", `Bearer ${apiKey}`);
  return sent;
}
