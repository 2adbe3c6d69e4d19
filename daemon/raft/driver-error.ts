/**
 * `not-leader`: another member must be asked. `dropped`: it did not get into the log, so it may be tried again.
 * `unknown-outcome`: it was in flight when this member stopped leading or ended; it may yet be applied, so whoever
 * retries must use the same request id. `too-large`: over the limit that the message names.
 * `impossible`: a membership that can not be.
 */
export type DriverErrorCode = "not-leader" | "dropped" | "unknown-outcome" | "too-large" | "impossible";

/** An expected failure of a proposal, a membership change or a read. */
export class DriverError extends Error {
  readonly code: DriverErrorCode;
  /** The number of the leader, where this member knows of one. */
  readonly leader: number | null;

  constructor(code: DriverErrorCode, message: string, leader: number | null = null) {
    super(message);
    this.name = "DriverError";
    this.code = code;
    this.leader = leader;
  }
}
