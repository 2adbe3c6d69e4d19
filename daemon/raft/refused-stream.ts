import * as grpc from "@grpc/grpc-js";
import { REFUSAL_REASONS } from "./peer-identity.ts";
import type { PeerRefusal, RefusalReason } from "./peer-identity.ts";

/** A refusal as it travels in the status of a stream. */

const REASON_KEY = "gpumesh-refusal";
const BY_KEY = "gpumesh-refused-by";
const BY_LEADER = "leader";

const CODES: Readonly<Record<RefusalReason, grpc.status>> = {
  mesh: grpc.status.PERMISSION_DENIED,
  member: grpc.status.PERMISSION_DENIED,
  epoch: grpc.status.FAILED_PRECONDITION,
  store: grpc.status.FAILED_PRECONDITION,
  incarnation: grpc.status.FAILED_PRECONDITION,
  regressed: grpc.status.FAILED_PRECONDITION,
  malformed: grpc.status.INVALID_ARGUMENT,
  oversized: grpc.status.INVALID_ARGUMENT,
};

/** Thrown where a stream is read; the service ends the stream with it. */
export class RefusedStream extends Error {
  readonly refusal: PeerRefusal;

  constructor(reason: RefusalReason, details: string) {
    super(details);
    this.refusal = { reason, details };
  }
}

export function statusOf(
  { reason, details }: PeerRefusal,
  byLeader: boolean,
): { readonly code: grpc.status; readonly details: string; readonly metadata: grpc.Metadata } {
  const metadata = new grpc.Metadata();
  metadata.set(REASON_KEY, reason);
  if (byLeader) metadata.set(BY_KEY, BY_LEADER);
  return { code: CODES[reason], details, metadata };
}

/** What a peer says with the end of a stream; null for an end of another kind. */
export function refusalOf(error: unknown): (PeerRefusal & { readonly byLeader: boolean }) | null {
  if (!(error instanceof Error) || !("metadata" in error)) return null;
  const { metadata } = error;
  if (!(metadata instanceof grpc.Metadata)) return null;
  const said = metadata.get(REASON_KEY)[0];
  const reason = REFUSAL_REASONS.find((each) => each === said);
  if (reason === undefined) return null;
  const details = "details" in error ? String(error.details) : error.message;
  return { reason, details, byLeader: metadata.get(BY_KEY)[0] === BY_LEADER };
}
