import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { activeAttempt } from "../../scheduler/model/job.ts";
import type { Attempt } from "../../scheduler/model/job.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import { nodeId } from "../../scheduler/model/ids.ts";
import { testExit, testFacts } from "../../scheduler/state/cluster.fixture.ts";
import { Directory } from "../mesh/directory.ts";
import type { Member } from "../mesh/directory.ts";
import type { MemoryStore } from "../store/memory-store.ts";
import { StoreError } from "../store/store.ts";
import { NOW, propose, SessionServer, statusOf, storeOfMesh, submit, until } from "./leader.fixture.ts";
import type { ScriptedDaemon } from "./leader.fixture.ts";
import { Leases } from "./leases.ts";
import { startScheduling } from "./scheduling.ts";
import { Sessions } from "./sessions.ts";
import { LEASE_MS } from "./timing.ts";

const term = 1;
const exits = [testExit(0)];

let store: MemoryStore;
let directory: Directory;
let sessions: Sessions;
let leases: Leases;
let server: SessionServer;
let accepted: number;
let lines: string[];
let stops: (() => void)[];

beforeEach(async () => {
  store = await storeOfMesh("n1", "n2", "n3");
  directory = new Directory("mesh", [member("n1", 1)]);
  lines = [];
  const log = (line: string): number => lines.push(line);
  leases = new Leases({ store, now: () => NOW, log });
  sessions = new Sessions({ store, directory, leases, term, now: () => NOW, log });
  leases.start();
  sessions.start();
  server = new SessionServer();
  accepted = 0;
  await server.start((stream, name) => {
    accepted += 1;
    sessions.accept(stream, name);
  });
  stops = [];
});

afterEach(() => {
  for (const stop of stops) stop();
  sessions.stop();
  leases.stop();
  server.stop();
});

function member(name: string, number: number): Member {
  return { name, number, address: `${name}:7400`, raftRole: "voter" };
}

function schedule(): void {
  stops.push(
    startScheduling({ store, now: () => NOW, token: () => "secret", log: (line) => lines.push(line) }),
  );
}

async function welcomed(name: string): Promise<ScriptedDaemon> {
  const daemon = server.dial(name);
  daemon.hello();
  await daemon.welcomed();
  return daemon;
}

function attemptOf(job: JobId): Attempt {
  const record = store.view().jobs.get(job);
  const attempt = record === undefined ? null : activeAttempt(record);
  if (attempt === null) throw new Error(`job ${job} has no attempt`);
  return attempt;
}

function stateOf(job: JobId): string | undefined {
  return store.view().jobs.get(job)?.state.kind;
}

/** A job of two nodes, that was placed and has not been prepared. */
async function starting(): Promise<JobId> {
  const job = await submit(store, { nodeCount: 2 });
  await until(() => stateOf(job) === "starting");
  return job;
}

describe("a line", () => {
  it("is welcomed with its session, its lease and the directory", async () => {
    const daemon = await welcomed("n2");
    await until(() => daemon.kinds.includes("directory"));
    const session = store.view().nodes.get(nodeId("n2"))?.session;
    expect(daemon.received[0]).toMatchObject({ welcome: { session, term, leaseMs: LEASE_MS } });
    expect(daemon.received[1]).toMatchObject({ directory: { meshId: "mesh", nodes: [{ name: "n1" }] } });
  });

  it("hears of a changed directory, except the leader's own", async () => {
    const [own, other] = [await welcomed("n1"), await welcomed("n2")];
    directory.replace([member("n1", 1), member("n2", 2)]);
    await until(() => other.kinds.filter((kind) => kind === "directory").length === 2);
    own.renew(1);
    await until(() => own.kinds.includes("renewalAccepted"));
    expect(own.kinds).not.toContain("directory");
  });

  it("of a daemon that was never admitted is ended", async () => {
    const stranger = server.dial("stranger");
    stranger.hello();
    await until(() => stranger.ended);
    expect(stranger.kinds).toEqual([]);
    expect(lines.join()).toContain("stranger was never admitted");
  });

  const faults: readonly [string, string, string][] = [
    ["whose facts are no JSON", "{", "do not parse"],
    ["whose facts are of another shape", JSON.stringify({ id: "n2", gpus: -1 }), "do not parse"],
    ["that speaks for another node", JSON.stringify(testFacts("n3")), "calls itself n3"],
    [
      "whose facts do not fit into a command",
      JSON.stringify({ ...testFacts("n2"), inventory: hugeInventory() }),
      "takes",
    ],
  ];
  for (const [what, facts, said] of faults) {
    it(`${what} is ended`, async () => {
      const daemon = server.dial("n2");
      daemon.helloWith(facts);
      await until(() => daemon.ended);
      expect(daemon.kinds).toEqual([]);
      expect(lines.join()).toContain(said);
      expect(store.view().nodes.get(nodeId("n2"))?.state.kind).toBe("joining");
    });
  }

  it("on which nobody says hello is ended", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const silent = server.dial("n2");
    silent.renew(1);
    await until(() => vi.getTimerCount() > 0);
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    await until(() => silent.ended);
    expect(lines.join()).toContain("said no hello");
  });

  it("takes the place of an older one of the same daemon, whose word counts no more", async () => {
    const old = await welcomed("n2");
    const renewed = vi.spyOn(leases, "renewed");
    const fresh = await welcomed("n2");
    old.renew(1);
    fresh.renew(1);
    await until(() => old.ended && fresh.kinds.includes("renewalAccepted"));
    expect(renewed).toHaveBeenCalledOnce();
    expect(old.kinds).not.toContain("renewalAccepted");
  });

  it("that was hung up during its registration is not kept", async () => {
    const original = store.propose.bind(store);
    let register: () => void = () => {};
    const asked = vi.spyOn(store, "propose").mockImplementation(async (command) => {
      await new Promise<void>((resolve) => (register = resolve));
      return original(command);
    });
    const daemon = server.dial("n2");
    daemon.hello();
    await until(() => asked.mock.calls.length === 1);
    daemon.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 50));
    register();
    await until(() => lines.some((line) => line.includes("hung up")));
    asked.mockRestore();
  });

  it("is ended when its session has expired, so that the daemon registers anew", async () => {
    const daemon = await welcomed("n2");
    const { session } = store.view().nodes.get(nodeId("n2"))!;
    await propose(store, { kind: "expireNode", at: NOW, node: nodeId("n2"), session, reason: "silent" });
    await until(() => daemon.ended);
    const again = await welcomed("n2");
    expect(again.received[0]?.welcome?.session).toBeGreaterThan(session);
  });

  it("gets a new session with a new boot id", async () => {
    const daemon = await welcomed("n2");
    const again = server.dial("n2");
    again.hello({ bootId: "boot-2" });
    await again.welcomed();
    const [before, after] = [daemon, again].map((line) => line.received[0]?.welcome?.session ?? 0);
    expect(after).toBeGreaterThan(before ?? Infinity);
  });
});

describe("the end of the leadership", () => {
  it("ends all lines, greeted or not, and acknowledges nothing any more", async () => {
    const daemon = await welcomed("n2");
    const silent = server.dial("n3");
    await until(() => accepted === 2);
    let confirm: () => void = () => {};
    vi.spyOn(store, "readBarrier").mockImplementation(() => new Promise((resolve) => (confirm = resolve)));
    const renewed = vi.spyOn(leases, "renewed");
    daemon.renew(1);
    await until(() => renewed.mock.calls.length === 1);
    leases.stop();
    sessions.stop();
    confirm();
    await until(() => daemon.ended && silent.ended);
    expect(daemon.kinds).not.toContain("renewalAccepted");
  });

  it("during a registration refuses the line", async () => {
    const daemon = server.dial("n2");
    const original = store.propose.bind(store);
    const asked = vi.spyOn(store, "propose").mockImplementation(async (command) => {
      const result = await original(command);
      sessions.stop();
      return result;
    });
    daemon.hello();
    await until(() => daemon.ended);
    expect(daemon.kinds).toEqual([]);
    asked.mockRestore();
  });
});

describe("orders and reports", () => {
  it("go through the life of a gang", async () => {
    schedule();
    const daemons = [await welcomed("n2"), await welcomed("n3")];
    const job = await starting();
    const { fence } = attemptOf(job);
    for (const daemon of daemons) {
      await until(() => daemon.kinds.includes("prepare"));
      daemon.report(job, 1, fence, { kind: "prepared" });
    }
    for (const daemon of daemons) await until(() => daemon.kinds.includes("start"));
    expect(stateOf(job)).toBe("running");
    const head = daemons.find((daemon) => daemon.name === attemptOf(job).parts[0]?.node);
    head?.report(job, 1, fence, { kind: "exited", exits });
    for (const daemon of daemons) {
      await until(() => daemon.kinds.includes("stop"));
      daemon.report(job, 1, fence, { kind: "stopped", exits });
    }
    await until(() => stateOf(job) === "succeeded");
    for (const daemon of daemons) {
      await until(() => settledOf(daemon).includes("stopped"));
      const orders = daemon.kinds.filter((kind) => ["prepare", "start", "stop"].includes(kind ?? ""));
      expect(orders).toEqual(["prepare", "start", "stop"]);
      expect(settledOf(daemon)[0]).toBe("prepared");
    }
    expect(lines).toEqual([]);
  });

  it("are given again on a new line, and what is known is settled without a command", async () => {
    schedule();
    const [first, second] = [await welcomed("n2"), await welcomed("n3")];
    const job = await starting();
    const { fence } = attemptOf(job);
    first.report(job, 1, fence, { kind: "prepared" });
    await until(() => settledOf(first).includes("prepared"));
    const proposed = vi.spyOn(store, "propose");
    const again = server.dial("n2");
    again.hello({}, [statusOf(job, 1, fence, { kind: "prepared" })]);
    await until(() => settledOf(again).includes("prepared"));
    expect(proposed.mock.calls.map(([command]) => command.kind)).toEqual(["registerNode"]);
    proposed.mockRestore();
    expect(again.kinds).not.toContain("prepare");
    second.hangUp();
    const other = await welcomed("n3");
    await until(() => other.kinds.includes("prepare"));
  });

  it("a report that was not committed is not settled", async () => {
    schedule();
    const daemon = await welcomed("n2");
    await welcomed("n3");
    const job = await starting();
    const { fence } = attemptOf(job);
    const proposed = vi.spyOn(store, "propose").mockRejectedValue(new StoreError("unavailable", "try again"));
    daemon.report(job, 1, fence, { kind: "prepared" });
    await until(() => lines.some((line) => line.includes("was not committed")));
    proposed.mockRestore();
    daemon.report(job, 1, fence, { kind: "prepared" });
    await until(() => settledOf(daemon).length > 0);
    expect(settledOf(daemon)).toEqual(["prepared"]);
  });

  it("a report that is stale gets an order to stop; that it stopped is settled", async () => {
    const daemon = await welcomed("n2");
    const fence = { epoch: 0, index: 1 };
    daemon.report(77, 1, fence, { kind: "prepared" });
    await until(() => daemon.kinds.includes("stop"));
    expect(daemon.received.at(-1)).toMatchObject({ stop: { term, jobId: 77, attempt: 1, fence } });
    daemon.report(77, 1, fence, { kind: "stopped", exits: [] });
    await until(() => settledOf(daemon).includes("stopped"));
  });

  it("an attempt with a fence above all that is known here is left alone", async () => {
    const daemon = server.dial("n2");
    daemon.hello({}, [statusOf(5, 1, { epoch: 0, index: 1_000_000 }, { kind: "prepared" })]);
    await until(() => lines.some((line) => line.includes("5.1, which this mesh does not know")));
    daemon.renew(1);
    await until(() => daemon.kinds.includes("renewalAccepted"));
    expect(daemon.kinds).not.toContain("stop");
  });

  it("a part that had begun and that the ledger has forgotten is stopped", async () => {
    schedule();
    const [daemon, other] = [await welcomed("n2"), await welcomed("n3")];
    const job = await starting();
    const { fence } = attemptOf(job);
    daemon.report(job, 1, fence, { kind: "prepared" });
    await until(() => settledOf(daemon).includes("prepared"));
    const again = server.dial("n2");
    again.hello();
    await until(() => again.kinds.includes("stop"));
    again.report(job, 1, fence, { kind: "stopped", exits: [] });
    await until(() => other.kinds.includes("stop"));
    expect(stateOf(job)).toBe("terminating");
  });

  it("malformed reports are named in the log and change nothing", async () => {
    const daemon = server.dial("n2");
    const fence = { epoch: 0, index: 1 };
    const malformed = ["{", '{"kind":"won"}', '{"kind":"exited","exits":[{"code":"x"}]}'];
    daemon.hello(
      {},
      malformed.map((reportJson) => ({ jobId: -1, attempt: -1, fence, reportJson })),
    );
    await daemon.welcomed();
    expect(lines.filter((line) => line.includes("does not parse"))).toHaveLength(malformed.length);
    daemon.renew(1);
    await until(() => daemon.kinds.includes("renewalAccepted"));
  });
});

function settledOf(daemon: ScriptedDaemon): readonly string[] {
  return daemon.received.flatMap((message) => message.settled?.kind ?? []);
}

describe("after a recovery of the mesh", () => {
  beforeEach(() => propose(store, { kind: "recoverMesh", at: NOW, survivor: nodeId("n1"), leftBehind: [2] }));

  it("a member that was left behind is told so and turned away", async () => {
    const daemon = server.dial("n2");
    daemon.hello();
    await until(() => daemon.ended);
    expect(daemon.received.map(({ leftBehind }) => leftBehind?.reason)).toEqual([
      "this mesh was recovered at 2023-11-14T22:13:20Z without n2, whose data folder belongs to the mesh before; " +
        "remove the data folder and join again under another name",
    ]);
    expect(lines).toHaveLength(1);
    expect(store.view().nodes.get(nodeId("n2"))?.state.kind).toBe("joining");
  });

  it("an attempt of the epoch before that the mesh does not know is stopped, however high its fence", async () => {
    const daemon = server.dial("n3");
    const [lost, ahead] = [
      { epoch: 0, index: 1e9 },
      { epoch: 1, index: 1e9 },
    ];
    daemon.hello({}, [statusOf(5, 1, lost, null), statusOf(6, 1, ahead, null)]);
    await daemon.welcomed();
    await until(() => lines.some((line) => line.includes("6.1, which this mesh does not know")));
    await until(() => daemon.kinds.includes("stop"));
    expect(daemon.received.flatMap(({ stop }) => (stop ? [stop.jobId] : []))).toEqual([5]);
  });
});

function hugeInventory(): unknown {
  const { inventory } = testFacts("n2");
  const name = "x".repeat(250);
  const interfaces = Array.from({ length: 2_000 }, () => ({
    name,
    address: name,
    cidr: name,
    speedMbps: null,
    up: true,
  }));
  return { ...inventory, interfaces };
}
