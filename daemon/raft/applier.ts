import { asV2, decodeConfChange, RaftError } from "./core/core.ts";
import type { ConfChange, ConfChangeV2, ConfState, Entry } from "./core/core.ts";
import { DriverError } from "./driver-error.ts";
import type { CommittedEntry } from "./driver-options.ts";
import { PROPOSAL_ID_BYTES } from "./proposals.ts";
import type { Proposals } from "./proposals.ts";
import type { AppliedPoint } from "./raft-log.ts";

export interface ApplierOptions {
  readonly proposals: Proposals;
  readonly apply: (entry: CommittedEntry) => unknown;
  /** Makes the core take the change; throws its RaftError for one that does not fit. */
  readonly applyConfChange: (change: ConfChangeV2) => ConfState;
  /** The entry at this index made a new membership. */
  readonly onConfState: (index: number, confState: ConfState) => void;
  /** What earlier runs have applied and stored. */
  readonly stored: AppliedPoint;
}

/** The apply thread: takes committed entries in the order of the log to whom they concern. */
export class Applier {
  readonly #options: ApplierOptions;
  #applied: AppliedPoint;

  constructor(options: ApplierOptions) {
    this.#options = options;
    this.#applied = options.stored;
  }

  /** The last applied entry, and the membership after it; index 0 before the first. */
  get applied(): AppliedPoint {
    return this.#applied;
  }

  /** The state machine holds a snapshot from now on. */
  installed(point: AppliedPoint): void {
    this.#applied = point;
  }

  apply(entry: Entry): void {
    const { index, term, data } = entry;
    if (index !== this.#applied.index + 1) {
      throw new Error(`entry ${index} was committed after entry ${this.#applied.index}`);
    }
    const change = decodeConfChange(entry);
    if (change !== null) return this.#applyConfChange(index, term, change);
    // The entry that opens a term is empty.
    const isCommand = data.length > 0;
    const command = { index, term, data: data.subarray(PROPOSAL_ID_BYTES) };
    const result = isCommand ? this.#options.apply(command) : undefined;
    this.#applied = { index, term, confState: this.#applied.confState };
    if (!isCommand) return;
    this.#options.proposals.settle(data.subarray(0, PROPOSAL_ID_BYTES), { index, term, result });
  }

  #applyConfChange(index: number, term: number, change: ConfChange): void {
    const { proposals, applyConfChange, onConfState } = this.#options;
    this.#applied = { index, term, confState: this.#applied.confState };
    try {
      const confState = applyConfChange(asV2(change));
      this.#applied = { index, term, confState };
      onConfState(index, confState);
      proposals.settle(change.context, { index, term, result: confState });
    } catch (error) {
      // Every member refuses it alike, since the membership before it is the same everywhere.
      if (!(error instanceof RaftError)) throw error;
      proposals.refuse(
        change.context,
        new DriverError("impossible", `the membership stays: ${error.message}`),
      );
    }
  }
}
