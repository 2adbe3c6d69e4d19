import type { JobId } from "../../../scheduler/model/ids.ts";
import type { JobRecord } from "../../../scheduler/model/job.ts";
import { canonicalState } from "../../../scheduler/state/digest.ts";
import { checkInvariants } from "../../../scheduler/state/invariants.ts";
import { recordsOf } from "../../../scheduler/state/records.ts";
import type { StateView } from "../../../scheduler/state/state.ts";
import { hashText } from "../random.ts";
import type { Verdict } from "../verdict.ts";

/** What the replicas' states must have in common, and what they owe to whom they have answered. */
export class StateMachines {
  readonly #verdict: Verdict;
  readonly #hashes = new Map<number, number>();
  readonly #sums = new Map<number, JobsSum>();
  /** Jobs whose submission was acknowledged, by request. */
  readonly #acknowledged = new Map<string, JobId>();
  #newestVersion = 0;

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
  }

  /** The newest version that any replica has applied, which is committed then. */
  get newestVersion(): number {
    return this.#newestVersion;
  }

  /** A linearizable read that began at `floor`, the newest version of that time, has seen this version. */
  checkRead(replica: number, version: number, floor: number): void {
    if (version >= floor) return;
    this.#verdict.fail(
      "a read sees what was applied anywhere before it began",
      `replica ${replica} served a read at version ${version}; version ${floor} was applied before`,
    );
  }

  started(replica: number): void {
    this.#sums.delete(replica);
  }

  /** Equal versions are equal states. To be called after each event of a replica. */
  observe(replica: number, view: StateView): void {
    const { version } = view;
    let sum = this.#sums.get(replica);
    if (sum?.version === version) return;
    if (sum === undefined) this.#sums.set(replica, (sum = new JobsSum()));
    this.#newestVersion = Math.max(this.#newestVersion, version);
    const hash = sum.of(view);
    const known = this.#hashes.get(version) ?? hash;
    this.#hashes.set(version, known);
    if (known === hash) return;
    this.#verdict.fail("equal states at an equal index", `replica ${replica} differs at index ${version}`);
  }

  acknowledge(requestId: string, job: JobId): void {
    const known = this.#acknowledged.get(requestId) ?? job;
    this.#acknowledged.set(requestId, job);
    if (known === job) return;
    this.#verdict.fail("a request makes one job", `${requestId} was answered with jobs ${known} and ${job}`);
  }

  /** This replica has applied all that was committed before its term or its read. */
  checkComplete(replica: number, view: StateView): void {
    for (const [requestId, job] of this.#acknowledged) {
      if (view.jobByRequest(requestId)?.id === job) continue;
      this.#verdict.fail(
        "what was acknowledged is durable",
        `replica ${replica} does not have ${requestId} as job ${job}`,
      );
      return;
    }
    try {
      checkInvariants(view);
    } catch (error) {
      this.#verdict.fail(
        "the state's own invariants",
        `replica ${replica}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** All of these have applied the same index. */
  checkEqual(views: readonly StateView[]): void {
    // Canonical text is dear, and seldom needed: equal plain text says the same.
    const differ = (textOf: (view: StateView) => string): boolean => new Set(views.map(textOf)).size > 1;
    if (differ(plainState) && differ(canonicalState)) {
      this.#verdict.fail("equal states at an equal index", "the replicas differ at the end");
    }
  }
}

function plainState(view: StateView): string {
  return JSON.stringify([view.version, ...recordsOf(view)]);
}

/** A hash of all jobs of one replica, which costs little where few of them have changed. */
class JobsSum {
  #version = -1;
  #sum = 0;
  /** By their place in the view, with the hash of each. */
  readonly #jobs: JobRecord[] = [];
  readonly #hashes: number[] = [];

  get version(): number {
    return this.#version;
  }

  of({ version, jobs }: StateView): number {
    this.#version = version;
    let at = 0;
    for (const job of jobs.values()) {
      // A record never changes: it is replaced by another one.
      if (this.#jobs[at] !== job) this.#replace(at, job);
      at++;
    }
    while (this.#jobs.length > at) {
      this.#jobs.pop();
      this.#sum -= this.#hashes.pop() ?? 0;
    }
    return this.#sum;
  }

  #replace(at: number, job: JobRecord): void {
    const hash = hashText(JSON.stringify(job));
    this.#sum += hash - (this.#hashes[at] ?? 0);
    this.#jobs[at] = job;
    this.#hashes[at] = hash;
  }
}
