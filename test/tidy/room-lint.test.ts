import { describe, expect, it } from "vitest";
import { importPatterns } from "./room-lint.ts";
import { rooms } from "./rooms.ts";

describe("importPatterns", () => {
  it.each([
    ["daemon/agent", "../store/store.ts"],
    ["daemon/agent", "../../store/store.ts"],
    ["daemon/agent", "../../scheduler/cycle.ts"],
    ["daemon/agent", "../../../scheduler/queue/order.ts"],
    ["scheduler/model", "../state/records.ts"],
    ["scheduler/state", "../../proto/load.ts"],
    ["cli", "../daemon/main.ts"],
    ["daemon/main", "../cli/main.ts"],
  ])("forbids %s to write %s", (room, specifier) => {
    expect(forbids(room, specifier)).toBe(true);
  });

  it.each([
    ["daemon/agent", "../executor/executor.ts"],
    ["daemon/agent", "./store/x.ts"],
    ["daemon/agent", "../../scheduler/launch/mpi.ts"],
    ["scheduler/cycle", "./queue/order.ts"],
    ["daemon/main", "./leader/scheduling.ts"],
    ["daemon/raft", "./core/raft.ts"],
  ])("lets %s write %s", (room, specifier) => {
    expect(forbids(room, specifier)).toBe(false);
  });
});

function forbids(name: string, specifier: string): boolean {
  const room = rooms.find((candidate) => candidate.name === name);
  if (!room) throw new Error(`there is no room ${name}`);
  return importPatterns(room, rooms).some(({ regex }) => new RegExp(regex).test(specifier));
}
