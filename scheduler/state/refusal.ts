import type { ApplyResult, RefusalCode } from "../model/command.ts";

/** The command changed something, or found its change already made. */
export const APPLIED: ApplyResult = { kind: "applied" };

/** The command changed nothing; `reason` is one line: what is so, and what to do where there is something to do. */
export function refused(code: RefusalCode, reason: string): ApplyResult {
  return { kind: "refused", code, reason };
}

/** A fact that the command rests on no longer holds: read again, then decide again. */
export function stale(reason: string): ApplyResult {
  return refused("stale", reason);
}
