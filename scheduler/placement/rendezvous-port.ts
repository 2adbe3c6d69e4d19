import type { JobId } from "../model/ids.ts";
import type { DraftNode } from "./draft.ts";

/** Below Linux' ephemeral ports (32768 and up), so that no outgoing connection sits on one. */
const rendezvousPortFirst = 29_400;

/** Attempts that may have their head on one node at a time. */
export const rendezvousPortsMax = 600;

/**
 * A TCP port for the ranks to meet at on the head. The range is walked from a place of the attempt's own, so that a
 * port rests before it is used again.
 */
export function rendezvousPort(head: DraftNode, job: JobId, attempt: number): number {
  const start = (job * 7 + attempt) % rendezvousPortsMax;
  for (let step = 0; step < rendezvousPortsMax; step++) {
    const port = rendezvousPortFirst + ((start + step) % rendezvousPortsMax);
    if (!head.rendezvousPorts.has(port)) return port;
  }
  throw new Error(`node ${head.record.id} has no rendezvous port left, which the ports filter rules out`);
}
