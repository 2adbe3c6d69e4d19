import type { JobId } from "../../../scheduler/model/ids.ts";
import { canonicalState } from "../../../scheduler/state/digest.ts";
import { checkInvariants } from "../../../scheduler/state/invariants.ts";
import type { StateView } from "../../../scheduler/state/state.ts";
import { hashText } from "../random.ts";
import type { Verdict } from "../verdict.ts";

/** What the replicas' states must have in common, and what they owe to whom they have answered. */
export class StateMachines {
  readonly #verdict: Verdict;
  readonly #hashes = new Map<number, number>();
  readonly #versions = new Map<number, number>();
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
    this.#versions.delete(replica);
  }

  /** Equal versions are equal states. To be called after each event of a replica. */
  observe(replica: number, view: StateView): void {
    const { version } = view;
    if (this.#versions.get(replica) === version) return;
    this.#versions.set(replica, version);
    this.#newestVersion = Math.max(this.#newestVersion, version);
    const hash = hashOf(view);
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
    if (new Set(views.map(canonicalState)).size > 1) {
      this.#verdict.fail("equal states at an equal index", "the replicas differ at the end");
    }
  }
}

const hashes = new WeakMap<object, number>();

/** Of all jobs; a record never changes, so each is hashed once. */
function hashOf(view: StateView): number {
  let sum = view.jobs.size;
  for (const job of view.jobs.values()) {
    let hash = hashes.get(job);
    if (hash === undefined) hashes.set(job, (hash = hashText(JSON.stringify(job))));
    sum = (sum + hash) >>> 0;
  }
  return sum;
}
