import { DriverError } from "./driver-error.ts";

export function notLeader(leader: number | null): DriverError {
  const next = leader === null ? "no leader is known: try again" : `ask member ${leader}`;
  return new DriverError("not-leader", `this member does not lead; ${next}`, leader);
}

export function unknownOutcome(leader: number | null): DriverError {
  return new DriverError(
    "unknown-outcome",
    "this member stopped leading before it knew whether the proposal is committed; retry with the same request id",
    leader,
  );
}

export function ended(): DriverError {
  return new DriverError("dropped", "this member has not started or has ended; try another one");
}

/** Why a member says nothing to its peers. */
export type MuteReason = "disk" | "refused";

export function mute(reason: MuteReason, leader: number | null): DriverError {
  const why = {
    disk: "the disk of the raft log does not answer; try again later",
    refused: "other members refuse the raft log of this one; ask another one",
  };
  return new DriverError("dropped", why[reason], leader);
}
