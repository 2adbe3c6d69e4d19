import type { Mutant } from "./mutant.ts";

/** Bugs of the durable log: what is synced, when it counts, and what is checked at a start. */
export const LOG_MUTANTS: readonly Mutant[] = [
  {
    bug: "1b",
    what: "no batch is synced",
    edits: [{ file: "daemon/raft/level-log.ts", find: "{ sync: true }", put: "{ sync: false }" }],
  },
  {
    bug: "1c",
    what: "only batches with entries are synced, and log files rotate",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "{ sync: true }",
        put: "{ sync: batch.entries.length > 0 }",
      },
    ],
  },
  {
    bug: "2b",
    what: "a write counts as done when it is begun",
    edits: [
      {
        file: "daemon/raft/log-writer.ts",
        find: "    this.#cancelFlush = null;\n    this.#writing = log\n",
        put:
          "    this.#cancelFlush = null;\n    if (install === null) {\n      storage.synced(entries);\n" +
          "      this.#options.onWritten(responses);\n    }\n    this.#writing = log\n",
      },
    ],
  },
  {
    bug: "4",
    what: "a failed write is taken back, and its index used again",
    edits: [
      {
        file: "daemon/raft/log-writer.ts",
        find: "        this.#ended = true;\n        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));",
        put:
          "        this.#writing = null;\n        if (!(error instanceof Error)) return;\n" +
          "        storage.synced(entries);\n        this.#options.onWritten(responses);",
      },
      { file: "daemon/raft/level-log.ts", find: "    this.#onFatal(this.#failure);", put: "" },
    ],
  },
  {
    bug: "13a",
    what: "a snapshot is installed in two batches: a crash between them leaves half of it",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      await this.#database.batch(plan.operations, { sync: true });",
        put:
          "      const head = plan.operations.findIndex(({ key }) => key.equals(HEAD_KEY));\n" +
          "      const last = plan.installed === null ? [] : plan.operations.splice(head);\n" +
          "      await this.#database.batch(plan.operations, { sync: true });\n" +
          "      if (last.length > 0) await this.#database.batch(last, { sync: true });",
      },
    ],
  },
  {
    bug: "13b",
    what: "the records of a snapshot are not synced before it is installed",
    edits: [{ file: "daemon/raft/staged-generation.ts", find: "{ sync: true }", put: "{ sync: false }" }],
  },
  {
    bug: "14",
    what: "a log that lost its end starts as if nothing had been",
    edits: [
      {
        file: "daemon/raft/log-contents.ts",
        find: "    if (!key.equals(entryKey(index))) throw damage(folder, `entry ${index} is missing`);",
        put: "    if (!key.equals(entryKey(index))) break;",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "    if (!read.ok) throw damage(folder, `entry ${index} ${read.fault}`);",
        put: "    if (!read.ok) break;",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find:
          "  const head = decoded.value;\n" +
          "  const { entries, sums, batches } = await readEntries(database, folder, head);",
        put:
          "  const found = decoded.value;\n" +
          "  const read = await readEntries(database, folder, found);\n" +
          "  const lastIndex = found.start.index + read.entries.length;\n" +
          "  const lost = found.applied.index > lastIndex;\n" +
          "  const { entries, sums, batches } = lost ? { entries: [], sums: [], batches: [] } : read;\n" +
          "  const commit = Math.min(found.hardState.commit, lastIndex);\n" +
          "  const lastSum = sums.at(-1) ?? found.start.sum;\n" +
          "  const head = lost\n" +
          "    ? { ...NOTHING, batch: found.batch, generation: found.generation + 1 }\n" +
          "    : { ...found, lastIndex, lastSum, hardState: { ...found.hardState, commit } };",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if (mark === null) return;",
        put: '  if (mark !== "damaged") return;',
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if (last !== head.lastIndex) {",
        put: "  if (head.batch < 0) {",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if ((sums.at(-1) ?? start.sum) !== head.lastSum) {",
        put: "  if (head.batch < 0) {",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if (hardState.commit > head.lastIndex) {",
        put: "  if (head.batch < 0) {",
      },
    ],
  },
  {
    bug: "15",
    what: "checksums of entries are not compared",
    edits: [
      {
        file: "daemon/raft/log-record.ts",
        find: '  if (value.readUInt32BE(end) !== sum) return { ok: false, fault: "does not match its checksum" };',
        put: "",
      },
      {
        file: "daemon/raft/log-contents.ts",
        find: "  if ((sums.at(-1) ?? start.sum) !== head.lastSum) {",
        put: "  if (head.batch < 0) {",
      },
    ],
  },
  {
    bug: "16",
    what: "a batch that a crash cut short counts as damage: its two halves are written one after the other",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      await this.#database.batch(plan.operations, { sync: true });",
        put:
          "      await this.#database.batch(plan.operations.slice(0, -1), { sync: true });\n" +
          "      await this.#database.batch(plan.operations.slice(-1), { sync: true });",
      },
    ],
  },
  {
    bug: "17",
    what: "a write that fails for a full disk is tried again, and then taken as done",
    edits: [
      {
        file: "daemon/raft/level-log.ts",
        find: "      throw this.#fail(error);\n    } finally {",
        put: "      void error;\n    } finally {",
      },
    ],
  },
  {
    bug: "24a",
    what: "a snapshot travels in one piece",
    edits: [
      {
        file: "daemon/raft/log-snapshot.ts",
        find: "highWaterMarkBytes: bytesMax,",
        put: "highWaterMarkBytes: bytesMax * 1_000_000,",
      },
    ],
  },
];
