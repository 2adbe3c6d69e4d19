import { isDeepStrictEqual } from "node:util";
import { asV2, decodeConfChange, RaftError } from "./core/core.ts";
import type { ConfChange, ConfChangeV2, ConfState, Entry, EntryId } from "./core/core.ts";
import { DriverError } from "./driver-error.ts";
import type { CommittedEntry } from "./driver-options.ts";
import type { AppliedConfState } from "./log-record.ts";
import { PROPOSAL_ID_BYTES } from "./proposals.ts";
import type { Proposals } from "./proposals.ts";

export interface ApplierOptions {
  readonly proposals: Proposals;
  readonly apply: (entry: CommittedEntry) => unknown;
  /** Makes the core take the change; throws its RaftError for one that does not fit. */
  readonly applyConfChange: (change: ConfChangeV2) => ConfState;
  readonly onConfState: (applied: AppliedConfState) => void;
  /** What an earlier run recorded; the replay must come to the same. */
  readonly recorded: AppliedConfState | null;
}

/** The apply thread: takes committed entries in the order of the log to whom they concern. */
export class Applier {
  readonly #options: ApplierOptions;
  #applied: EntryId = { index: 0, term: 0 };

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** The last applied entry; index 0 before the first. */
  get applied(): EntryId {
    return this.#applied;
  }

  apply(entry: Entry): void {
    const { index, term, data } = entry;
    if (index !== this.#applied.index + 1) {
      throw new Error(`entry ${index} was committed after entry ${this.#applied.index}`);
    }
    this.#applied = { index, term };
    const change = decodeConfChange(entry);
    if (change !== null) return this.#applyConfChange(index, term, change);
    // The entry that opens a term is empty.
    if (data.length === 0) return;
    const result = this.#options.apply({ index, term, data: data.subarray(PROPOSAL_ID_BYTES) });
    this.#options.proposals.settle(data.subarray(0, PROPOSAL_ID_BYTES), { index, term, result });
  }

  #applyConfChange(index: number, term: number, change: ConfChange): void {
    const { proposals, applyConfChange, onConfState } = this.#options;
    try {
      const confState = applyConfChange(asV2(change));
      this.#checkAgainstRecord(index, confState);
      onConfState({ index, state: confState });
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

  #checkAgainstRecord(index: number, confState: ConfState): void {
    const { recorded } = this.#options;
    if (recorded?.index !== index || isDeepStrictEqual(recorded.state, confState)) return;
    throw new Error(`the membership of entry ${index} was recorded as ${JSON.stringify(recorded.state)}`);
  }
}
