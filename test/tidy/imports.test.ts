import { describe, expect, it } from "vitest";
import { importComplaints } from "./imports.ts";
import { roomOf, rooms } from "./rooms.ts";

describe("importComplaints", () => {
  it.each([
    [
      "scheduler/model/job.ts",
      "../state/records.ts",
      "scheduler/model may not import scheduler/state/records.ts",
    ],
    ["scheduler/queue/order.ts", "../preempt/victims.ts", "scheduler/queue may not import scheduler/preempt"],
    [
      "scheduler/jobfile/native.ts",
      "../state/records.ts",
      "scheduler/jobfile may not import scheduler/state",
    ],
    ["scheduler/state/apply.ts", "../../proto/gen/api.ts", "scheduler/state may not import proto/gen/api.ts"],
    ["daemon/raft/core/raft.ts", "../driver.ts", "daemon/raft/core may not import daemon/raft/driver.ts"],
    ["daemon/raft/driver.ts", "../store/store.ts", "daemon/raft may not import daemon/store/store.ts"],
    [
      "daemon/agent/hooks/image.ts",
      "../../store/store.ts",
      "daemon/agent may not import daemon/store/store.ts",
    ],
    [
      "daemon/agent/agent.ts",
      "../leader/dispatch.ts",
      "daemon/agent may not import daemon/leader/dispatch.ts",
    ],
    ["daemon/security/ca.ts", "../store/store.ts", "daemon/security may not import daemon/store/store.ts"],
    ["daemon/api/submit.ts", "../../scheduler/cycle.ts", "daemon/api may not import scheduler/cycle.ts"],
    ["daemon/main.ts", "../cli/main.ts", "daemon/main may not import cli/main.ts"],
    ["cli/commands/up.ts", "../../daemon/main.ts", "cli may not import daemon/main.ts"],
    ["daemon/mesh/dial.ts", "../../test/suites.ts", "is no test, but imports test/suites.ts"],
    [
      "daemon/mesh/dial.ts",
      "./listener.fixture.ts",
      "is no test, but imports daemon/mesh/listener.fixture.ts",
    ],
    ["daemon/mesh/dial.test.ts", "../../test/suites.ts", "daemon/mesh may not import test/suites.ts"],
    ["daemon/mesh/dial.ts", "../../lib/x.ts", "daemon/mesh may not import lib/x.ts (in no room)"],
  ])("forbids %s to import %s", (path, specifier, what) => {
    expect(complaintsOf(path, `import { x } from "${specifier}";`)).toEqual([expect.stringContaining(what)]);
  });

  it.each([
    ["scheduler/queue/order.ts", "../placement/gang.ts"],
    ["scheduler/queue/order.ts", "./fair-share.ts"],
    ["scheduler/cycle.ts", "./preempt/victims.ts"],
    ["scheduler/simulate/trace.ts", "../cycle.ts"],
    ["daemon/raft/driver.ts", "./core/raft.ts"],
    ["daemon/leader/scheduling.ts", "../../scheduler/cycle.ts"],
    ["daemon/agent/agent.ts", "../executor/executor.ts"],
    ["daemon/hardware/host.ts", "./nvidia-smi-parser/report.ts"],
    ["daemon/main.ts", "./leader/scheduling.ts"],
    ["cli/commands/submit.ts", "../../scheduler/jobfile/parse.ts"],
    ["daemon/mesh/dial.ts", "node:tls"],
    ["daemon/mesh/dial.test.ts", "./listener.fixture.ts"],
    ["vitest.config.ts", "./test/suites.ts"],
    ["test/cluster/failover.test.ts", "../../daemon/main.ts"],
  ])("lets %s import %s", (path, specifier) => {
    expect(complaintsOf(path, `import { x } from "${specifier}";`)).toEqual([]);
  });

  it.each([
    ["a type", `import type { X } from "../store/x.ts";`],
    ["a side effect", `import "../store/x.ts";`],
    ["a re-export", `export { x } from "../store/x.ts";`],
    ["a re-export of all", `export * from "../store/x.ts";`],
    ["import()", `export const x = () => import("../store/x.ts");`],
    ["an import type", `export type X = import("../store/x.ts").X;`],
    ["an import over two lines", `import {\n  x,\n} from "../store/x.ts";`],
  ])("sees %s", (_, text) => {
    expect(complaintsOf("daemon/agent/agent.ts", text)).toEqual([
      expect.stringContaining("daemon/agent may not import daemon/store/x.ts"),
    ]);
  });

  it("does not take text or comments for imports", () => {
    const text = `// import { x } from "../store/x.ts";\nexport const hint = 'import "../store/x.ts"';`;
    expect(complaintsOf("daemon/agent/agent.ts", text)).toEqual([]);
  });

  it("forbids import() of a computed name, but for tests", () => {
    const text = `export const load = (name: string): Promise<unknown> => import(name);`;
    expect(complaintsOf("daemon/mesh/dial.ts", text)).toEqual([expect.stringContaining("computed name")]);
    expect(complaintsOf("test/bench/run.ts", text)).toEqual([]);
  });

  it("gives the line, and says what may be imported instead", () => {
    const [complaint] = importComplaints({
      path: "daemon/store/store.ts",
      text: `\n\nimport { x } from "../mesh/x.ts";`,
    });
    expect(complaint).toMatchObject({ line: 3 });
    expect(complaint?.remedy).toContain("only daemon/raft, daemon/voters, scheduler/model, scheduler/state");
  });

  it("complains about a file in no room", () => {
    expect(complaintsOf("daemon/unheard-of/x.ts", "")).toEqual(["stands in no room"]);
  });
});

describe("rooms", () => {
  it("finds the innermost room", () => {
    expect(roomOf("daemon/raft/core/log.ts")?.name).toBe("daemon/raft/core");
    expect(roomOf("daemon/raft/transport.ts")?.name).toBe("daemon/raft");
    expect(roomOf("scheduler/cycle.test.ts")?.name).toBe("scheduler/cycle");
  });

  it("names only rooms that exist", () => {
    const names = rooms.map(({ name }) => name);
    expect(rooms.flatMap(({ mayImport }) => mayImport).filter((name) => !names.includes(name))).toEqual([]);
  });

  it("lets no room import another that may import it back, but for cycle and simulate", () => {
    const reach = (from: string): ReadonlySet<string> => {
      const seen = new Set<string>();
      const visit = (name: string): void => {
        for (const next of rooms.find((room) => room.name === name)?.mayImport ?? []) {
          if (seen.has(next)) continue;
          seen.add(next);
          visit(next);
        }
      };
      visit(from);
      return seen;
    };
    const cyclic = rooms.map(({ name }) => name).filter((name) => reach(name).has(name));
    expect(cyclic).toEqual(["scheduler/cycle", "scheduler/simulate"]);
  });
});

function complaintsOf(path: string, text: string): readonly string[] {
  return importComplaints({ path, text }).map(({ what }) => what);
}
