import { Metadata, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";

/** What a call is answered with when it can not be carried out: a gRPC status and one line. */
export class CallError extends Error implements ServiceError {
  override readonly name = "CallError";
  readonly code: status;
  readonly details: string;
  readonly metadata = new Metadata();

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
    this.details = details;
  }
}

/** Any thrown value as a status; what is not expected is INTERNAL and names no internals. */
export function callErrorOf(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (isServiceError(error)) return new CallError(error.code, error.details);
  return new CallError(
    status.INTERNAL,
    `the daemon failed: ${error instanceof Error ? error.message : "unknown"}`,
  );
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
