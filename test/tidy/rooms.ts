/**
 * Who may import whom. This table is the only place that says it: test/tidy.test.ts checks it on the resolved path of
 * every import, and oxlint.config.ts derives from it what an editor can show while typing.
 */
export type Room = {
  /** The folder of the room, or a file without its extension. The longest name that fits a path is its room. */
  readonly name: string;
  /** The rooms it may import besides itself. */
  readonly mayImport: readonly string[];
  /** A pure room computes values from values: no clock, randomness, input, output or waiting. */
  readonly pure: boolean;
};

const schedulerRooms: readonly Room[] = [
  pure("scheduler/model", []),
  pure("scheduler/state", ["scheduler/model"]),
  pure("scheduler/placement", ["scheduler/model", "scheduler/state"]),
  pure("scheduler/queue", ["scheduler/model", "scheduler/state", "scheduler/placement"]),
  pure("scheduler/preempt", ["scheduler/model", "scheduler/state", "scheduler/placement"]),
  pure("scheduler/explain", ["scheduler/model", "scheduler/state", "scheduler/placement"]),
  pure("scheduler/autoscale", ["scheduler/model", "scheduler/state", "scheduler/placement"]),
  pure("scheduler/recovery", ["scheduler/model", "scheduler/state"]),
  pure("scheduler/sweep", ["scheduler/model", "scheduler/state"]),
  pure("scheduler/jobfile", ["scheduler/model"]),
  pure("scheduler/launch", ["scheduler/model"]),
];
const wholeScheduler = [...schedulerRooms.map((room) => room.name), "scheduler/cycle", "scheduler/simulate"];
const viewOfTheScheduler = ["scheduler/model", "scheduler/jobfile", "scheduler/explain"];

const daemonRooms: readonly Room[] = [
  pure("daemon/raft/core", []),
  pure("daemon/hardware/nvidia-smi-parser", ["scheduler/model"]),
  room("daemon/raft", ["daemon/raft/core", "daemon/mesh", "proto"]),
  room("daemon/mesh", ["daemon/security", "proto"]),
  pure("daemon/voters", ["scheduler/model", "scheduler/state"]),
  room("daemon/store", ["daemon/raft", "daemon/voters", "scheduler/model", "scheduler/state"]),
  room("daemon/leader", [
    "daemon/store",
    "daemon/voters",
    "daemon/mesh",
    "daemon/cloud",
    "proto",
    ...wholeScheduler,
  ]),
  room("daemon/executor", ["scheduler/model"]),
  room("daemon/hardware", ["scheduler/model", "daemon/hardware/nvidia-smi-parser"]),
  room("daemon/cloud", ["scheduler/model"]),
  room("daemon/storage", ["daemon/mesh", "scheduler/model"]),
  room("daemon/agent", [
    "daemon/mesh",
    "daemon/executor",
    "daemon/storage",
    "daemon/hardware",
    "proto",
    "scheduler/model",
    "scheduler/launch",
  ]),
  room("daemon/api", [
    "daemon/store",
    "daemon/voters",
    "daemon/mesh",
    "daemon/security",
    "proto",
    ...viewOfTheScheduler,
  ]),
  room("daemon/http", ["daemon/store", "daemon/mesh", "daemon/security", "proto", ...viewOfTheScheduler]),
  room("daemon/security", []),
  room("daemon/setup", ["daemon/mesh", "daemon/security", "proto", "scheduler/model"]),
  room("daemon/dashboard", []),
];

const codeOfTheProject: readonly Room[] = [
  ...schedulerRooms,
  pure("scheduler/cycle", wholeScheduler),
  pure("scheduler/simulate", wholeScheduler),
  ...daemonRooms,
  room("daemon/main", [...daemonRooms.map(({ name }) => name), "scheduler/model", "proto"]),
  room("proto", []),
  room("cli", [...viewOfTheScheduler, "scheduler/launch", "scheduler/simulate", "proto"]),
];

export const rooms: readonly Room[] = [
  ...codeOfTheProject,
  room(
    "test",
    codeOfTheProject.map(({ name }) => name),
  ),
  room("oxlint.config", ["test"]),
  room("vitest.config", ["test"]),
];

/** The room that the file at `path` stands in, if any. */
export function roomOf(path: string, table: readonly Room[] = rooms): Room | undefined {
  return table
    .filter(({ name }) => path.startsWith(`${name}/`) || path.startsWith(`${name}.`))
    .reduce<Room | undefined>(
      (best, room) => (best && best.name.length > room.name.length ? best : room),
      undefined,
    );
}

/** Packages without a clock, randomness, input or output of their own; a pure room may import no others. */
export const purePackages: readonly string[] = ["fast-xml-parser", "yaml", "zod"];

/** Globals whose value or effect depends on more than their arguments, or that wait. */
export const impureGlobals: readonly string[] = [
  "Date",
  "Intl",
  "Promise",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
];

/** Methods whose answer depends on the machine's language settings, so two voters could disagree. */
export const impureMethods: readonly string[] = [
  "localeCompare",
  "toLocaleLowerCase",
  "toLocaleString",
  "toLocaleUpperCase",
];

function room(name: string, mayImport: readonly string[]): Room {
  return { name, mayImport, pure: false };
}

function pure(name: string, mayImport: readonly string[]): Room {
  return { name, mayImport, pure: true };
}
