import { Metadata, status } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";

/** The line travels in a header, and a peer resets a stream whose headers are too long. */
const DETAILS_CHARACTERS_MAX = 1_000;

/** What a call is answered with when it can not be carried out: a gRPC status and one line. */
export class CallError extends Error implements ServiceError {
  override readonly name = "CallError";
  readonly code: status;
  readonly details: string;
  readonly metadata = new Metadata();

  /** Details may quote what a caller sent: what is too long is cut, what is no Unicode text is replaced. */
  constructor(code: status, details: string) {
    const whole = details.length <= DETAILS_CHARACTERS_MAX;
    // grpc-js writes the line with encodeURI, which throws on half a surrogate pair.
    const line = (whole ? details : `${details.slice(0, DETAILS_CHARACTERS_MAX)} ...`).toWellFormed();
    super(line);
    this.code = code;
    this.details = line;
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
