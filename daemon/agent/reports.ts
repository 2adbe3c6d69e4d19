import type { PartReport } from "../../scheduler/model/command.ts";
import type { PartStatus } from "../../proto/gen/gpumesh/v1/PartStatus.ts";
import type { ReportSettled__Output } from "../../proto/gen/gpumesh/v1/ReportSettled.ts";

/** A report that the leader did not settle for so long is sent again. */
const RESEND_AFTER_MS = 2_000;

/** What a part has to say, with the word that its settlement names. */
export interface Report {
  readonly kind: PartReport["kind"];
  readonly status: PartStatus;
}

interface Unsettled extends Report {
  /** Null while it has not been sent on the open line. */
  sentMs: number | null;
}

/**
 * The newest report of each attempt that the leader has not settled: one may be lost with a line, come while a line is
 * being opened, or fail to commit. Holds at most one for each attempt on this node.
 */
export class Reports {
  readonly #unsettled = new Map<string, Unsettled>();

  add(report: Report): void {
    this.#unsettled.set(keyOf(report.status), { ...report, sentMs: null });
  }

  /** A report that has been overtaken by a newer one is not what was settled. */
  settle(settled: ReportSettled__Output): void {
    const key = keyOf(settled);
    if (this.#unsettled.get(key)?.kind === settled.kind) this.#unsettled.delete(key);
  }

  /** A hello left, which carries all that is known by now. */
  carried(nowMs: number): void {
    for (const report of this.#unsettled.values()) report.sentMs = nowMs;
  }

  /** What should be sent now; it counts as sent. */
  due(nowMs: number): readonly PartStatus[] {
    const due = [...this.#unsettled.values()].filter(
      ({ sentMs }) => sentMs === null || nowMs - sentMs >= RESEND_AFTER_MS,
    );
    for (const report of due) report.sentMs = nowMs;
    return due.map(({ status }) => status);
  }
}

function keyOf({ jobId, attempt }: Pick<PartStatus, "jobId" | "attempt">): string {
  return `${String(jobId)}.${attempt}`;
}
