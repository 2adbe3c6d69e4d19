import type { ApplyResult } from "../../scheduler/model/command.ts";
import { apply } from "../../scheduler/state/apply.ts";
import { recordAt, recordKey, restoreRecord } from "../../scheduler/state/records.ts";
import type { StateRecord } from "../../scheduler/state/records.ts";
import { createState } from "../../scheduler/state/state.ts";
import type { RecordKey, State, StateView } from "../../scheduler/state/state.ts";
import type { CommittedEntry } from "../raft/driver-options.ts";
import type { RecordChange, Restoration, StateMachine } from "../raft/state-machine.ts";
import { decodeCommand } from "./store.ts";

/** Holds the state's version, which is no record of its own: not every entry of the log is a command. */
const VERSION_KEY = "version";

/** The replicated state as raft sees it: commands in, records out, each as JSON under its key. */
export class ReplicatedState implements StateMachine {
  #changed = new Set<RecordKey>();
  #state = createState((key) => this.#changed.add(key));
  #storedVersion = 0;

  /** The state of now. A snapshot of the leader replaces it by another. */
  get view(): StateView {
    return this.#state;
  }

  apply({ data, index }: CommittedEntry): ApplyResult {
    return apply(this.#state, decodeCommand(data), index);
  }

  takeChanges(): readonly RecordChange[] {
    const changes: RecordChange[] = [];
    for (const key of this.#changed) {
      const record = recordAt(this.#state, key);
      changes.push({ key, value: record === null ? null : encode(record) });
    }
    this.#changed.clear();
    const { version } = this.#state;
    if (version !== this.#storedVersion) changes.push({ key: VERSION_KEY, value: encode(version) });
    this.#storedVersion = version;
    return changes;
  }

  restore(): Restoration {
    const changed = new Set<RecordKey>();
    let listening = false;
    let version = 0;
    const state: State = createState((key) => void (listening && changed.add(key)));
    return {
      put: (key, value) => {
        if (key === VERSION_KEY) {
          version = decode(value) as number;
          return;
        }
        const record = decode(value) as StateRecord;
        if (recordKey(record) !== key) throw new Error(`the record ${key} is stored as ${recordKey(record)}`);
        restoreRecord(state, record);
      },
      finish: () => {
        if (version > 0) state.advance(version);
        listening = true;
        this.#state = state;
        this.#changed = changed;
        this.#storedVersion = version;
      },
    };
  }
}

function encode(value: StateRecord | number): Buffer {
  return Buffer.from(JSON.stringify(value), "utf8");
}

/** What stands in the log's database was encoded above, and its checksum was verified. */
function decode(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
}
