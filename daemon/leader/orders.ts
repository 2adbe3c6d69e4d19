import type { Attempt, JobRecord, PartProgress } from "../../scheduler/model/job.ts";
import { activeAttempt } from "../../scheduler/model/job.ts";
import type { PartReport } from "../../scheduler/model/command.ts";
import type { NodeId, Session } from "../../scheduler/model/ids.ts";
import type { StateView } from "../../scheduler/state/state.ts";
import type { FromLeader } from "../../proto/gen/gpumesh/v1/FromLeader.ts";
import { STOP_GRACE_MS } from "./timing.ts";

/** An order, with a key that names it within one session: it is sent once on each line, and only then written out. */
export interface KeyedOrder {
  readonly key: string;
  readonly message: () => FromLeader;
}

/**
 * What the node should be doing now, as orders. It is derived from the state alone, so that a new leader, or a line that
 * came back, asks for the same.
 */
export function ordersFor(
  view: StateView,
  node: NodeId,
  session: Session,
  term: number,
): readonly KeyedOrder[] {
  const orders: KeyedOrder[] = [];
  for (const allocation of view.allocationsOf(node)) {
    const job = view.jobs.get(allocation.job);
    const attempt = job === undefined ? null : activeAttempt(job);
    const part = attempt?.parts.find((candidate) => candidate.node === node && candidate.session === session);
    if (job === undefined || attempt === null || part === undefined) continue;
    const order = orderFor(job, attempt, part.progress, term);
    if (order !== null) orders.push(order);
  }
  return orders;
}

function orderFor(job: JobRecord, attempt: Attempt, progress: PartProgress, term: number): KeyedOrder | null {
  const name = `${job.id}.${attempt.number}`;
  const address = { term, jobId: job.id, attempt: attempt.number, fence: attempt.fence };
  if (progress.kind === "stopped" || progress.kind === "lost") return null;
  switch (job.state.kind) {
    case "starting":
      if (progress.kind !== "assigned") return null;
      return {
        key: `prepare ${name}`,
        message: () => ({
          prepare: {
            term,
            jobId: job.id,
            specJson: JSON.stringify(job.spec),
            attemptJson: JSON.stringify(attempt),
          },
        }),
      };
    case "running":
      return progress.kind === "started"
        ? { key: `start ${name}`, message: () => ({ start: address }) }
        : null;
    case "terminating":
      return { key: `stop ${name}`, message: () => ({ stop: { ...address, graceMs: STOP_GRACE_MS } }) };
    case "queued":
    case "succeeded":
    case "failed":
    case "cancelled":
      return null;
  }
}

const PROGRESS_ORDER = ["assigned", "prepared", "started", "exited", "stopped", "lost"] as const;
const REPORT_RANK = { prepared: 1, refused: 4, exited: 3, stopped: 4 } as const;

/** True when the report would move the part forward; what was said before need not enter the log again. */
export function isNews(progress: PartProgress, report: PartReport): boolean {
  return REPORT_RANK[report.kind] > PROGRESS_ORDER.indexOf(progress.kind);
}
