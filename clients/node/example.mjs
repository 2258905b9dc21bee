// Answers as if somebody had sent PRICE by SMS, and shows what happens, beside `make run`.

import { connect, follow, Refused } from "./njia.mjs";

const engine = connect("EngineService", "127.0.0.1:50052", { apiKey: process.env.NJIA_API_KEY });
try {
  const { result } = await engine.Execute({
    ref: { workflowId: "price-by-sms" },
    triggerPayloadJson: JSON.stringify({ msisdn: "+254711000001", message: "PRICE maize" }),
    options: { waitMs: 0 },
  });
  for await (const { nodeResult, execution } of follow(engine, result.executionId)) {
    console.log(nodeResult ? `${nodeResult.nodeId}: ${nodeResult.status}` : execution.status);
  }
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(`${error.code} ${error.reason}: ${error.message}`);
  process.exitCode = 1;
} finally {
  engine.close();
}
