// What a refused call says beside its code: the google.rpc.Status in its trailing metadata.

import protobuf from "protobufjs";

// The fields that Njia fills, by Google's numbers (google/rpc/status.proto, google/rpc/error_details.proto).
const { root } = protobuf.parse(`
  syntax = "proto3";
  package google.rpc;

  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
  message BadRequest { repeated FieldViolation field_violations = 1; }
  message FieldViolation { string field = 1; string description = 2; string reason = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
`);

/** Returns the details of an error of grpc-js by their name, such as { ErrorInfo: { reason, domain, metadata } }. */
export function detailsOf(error) {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  if (!bytes) return {};
  const details = root.lookupType("google.rpc.Status").decode(bytes).details;
  return Object.fromEntries(details.map(({ typeUrl, value }) => named(typeUrl.split("/").at(-1), value)));
}

function named(fullName, value) {
  const type = root.lookupType(fullName);
  return [type.name, type.toObject(type.decode(value), { longs: Number, defaults: true })];
}
