import type { CommittedEntry } from "../../../daemon/raft/driver-options.ts";
import type { RecordChange, Restoration, StateMachine } from "../../../daemon/raft/state-machine.ts";
import type { PutRequest } from "./kv.ts";

const keyLengthBytes = 2;

/** The command of a put: the key's length, the key, the value. */
export function encodePut({ key, value }: PutRequest): Buffer {
  const bytes = Buffer.allocUnsafe(keyLengthBytes + key.length + value.length);
  bytes.writeUInt16BE(key.length);
  bytes.set(key, keyLengthBytes);
  bytes.set(value, keyLengthBytes + key.length);
  return bytes;
}

/** A state of keys and values; each is a record that is stored with the log, as the daemon's are. */
export class KeyValues implements StateMachine {
  #values = new Map<string, Uint8Array>();
  readonly #changed = new Set<string>();

  apply({ data }: CommittedEntry): void {
    const command = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const keyEnd = keyLengthBytes + command.readUInt16BE();
    const key = command.toString("latin1", keyLengthBytes, keyEnd);
    this.#values.set(key, command.subarray(keyEnd));
    this.#changed.add(key);
  }

  takeChanges(): readonly RecordChange[] {
    const changes = [...this.#changed].map((key) => ({ key, value: this.#values.get(key) ?? null }));
    this.#changed.clear();
    return changes;
  }

  restore(): Restoration {
    const values = new Map<string, Uint8Array>();
    return {
      put: (key, value) => void values.set(key, value),
      finish: () => {
        this.#values = values;
        this.#changed.clear();
      },
    };
  }
}
