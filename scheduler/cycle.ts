import type { Command, PlaceGang, StartGang } from "./model/command.ts";
import type { JobSpec } from "./model/job.ts";
import { createDraft } from "./placement/draft.ts";
import { placeGang } from "./placement/gang.ts";
import { orderQueue } from "./queue/order.ts";
import { nextAttempt } from "./state/numbering.ts";
import type { StateView } from "./state/state.ts";

/** Randomness is handed in, so that the cycle itself gives the same commands for the same arguments. */
export interface Secrets {
  /** A fresh secret for one attempt. */
  token(): string;
}

/**
 * What is to be done now: start every gang that is prepared, and place the queue in its order on a draft. Applied in
 * the order given, with nothing between, every command is accepted.
 *
 * Today's rule for a gang that does not fit: it waits and reserves nothing, so a later job that fits goes ahead of it.
 * Reservations come with backfill.
 *
 * @param now Unix ms; goes into the commands
 */
export function cycle(view: StateView, now: number, secrets: Secrets): readonly Command[] {
  return [...startPrepared(view, now), ...placeQueue(view, now, secrets)];
}

function startPrepared(view: StateView, now: number): StartGang[] {
  const commands: StartGang[] = [];
  for (const { id, state } of view.activeJobs()) {
    if (state.kind !== "starting") continue;
    if (!state.attempt.parts.every((part) => part.progress.kind === "prepared")) continue;
    commands.push({ kind: "startGang", at: now, job: id, attempt: state.attempt.number });
  }
  return commands.toSorted((a, b) => a.job - b.job);
}

/**
 * Within one cycle the draft only gives away, so a demand that did not fit will not fit later either: each distinct
 * demand is refused by a look at every node once. The cost is nodes times (jobs placed + distinct demands waiting),
 * and one look-up for every other job of the queue.
 */
function placeQueue(view: StateView, now: number, secrets: Secrets): PlaceGang[] {
  const draft = createDraft(view);
  const waiting = new Set<string>();
  const commands: PlaceGang[] = [];
  for (const job of orderQueue(view.queuedJobs())) {
    const demand = demandKey(job.spec);
    if (waiting.has(demand)) continue;
    const attempt = nextAttempt(view, job);
    const placement = placeGang(draft, job, attempt);
    if (placement.kind === "waits") {
      waiting.add(demand);
      continue;
    }
    commands.push({
      kind: "placeGang",
      at: now,
      job: job.id,
      attempt,
      parts: placement.parts,
      launch: { rendezvousPort: placement.rendezvousPort, token: secrets.token() },
    });
  }
  return commands;
}

/** Equal for jobs between which no filter can tell a difference. */
function demandKey({ pool, nodeCount, shape }: JobSpec): string {
  return JSON.stringify([
    pool,
    nodeCount,
    shape.kind === "share" ? [shape.gpus, shape.slots] : [shape.gpusAtLeast],
  ]);
}
