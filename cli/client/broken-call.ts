import { status } from "@grpc/grpc-js";
import { ApiError, type ApiErrorCode } from "./api-error.ts";
import { callFaultOf, type CallFault } from "./connect-fault.ts";

/** A call or stream that broke and may be tried again, on another daemon. */
export class BrokenCall extends Error {
  override readonly name = "BrokenCall";
  readonly code: ApiErrorCode;
  readonly fault: CallFault;

  constructor(code: ApiErrorCode, details: string, fault: CallFault = callFaultOf(details)) {
    super(details);
    this.code = code;
    this.fault = fault;
  }

  /** The daemon had the call and did not answer in time: it may have been carried out. */
  get timedOut(): boolean {
    return this.code === "DEADLINE_EXCEEDED";
  }

  toApiError(): ApiError {
    return new ApiError(this.code, this.message);
  }
}

const statusNames = new Map<unknown, string>(Object.entries(status).map(([name, code]) => [code, name]));

/**
 * Maps a grpc-js error; any other value comes back as it is. A stream may always be opened again after INTERNAL, since
 * it goes on where it broke; a unary call only where the transport said so, not the daemon.
 */
export function callErrorOf(error: unknown, shape: "unary" | "stream"): unknown {
  if (!(error instanceof Error) || !("code" in error) || !("details" in error)) return error;
  const code = (statusNames.get(error.code) ?? "UNKNOWN") as ApiErrorCode;
  const details = String(error.details);
  switch (code) {
    case "UNAVAILABLE":
    case "CANCELLED":
      return new BrokenCall(code, details);
    case "DEADLINE_EXCEEDED":
      return new BrokenCall(code, details, {
        error: "it took the call, but did not answer in time",
        answered: false,
        permanent: false,
      });
    case "INTERNAL":
      return shape === "stream" || isTransportLoss(details)
        ? new BrokenCall(code, details)
        : new ApiError(code, details);
    default:
      return new ApiError(code, details);
  }
}

/** A daemon that is killed resets its streams, which grpc-js reports as INTERNAL, as it does a daemon's own defect. */
function isTransportLoss(details: string): boolean {
  return /RST_STREAM|ECONNRESET|Connection dropped/.test(details);
}
