import { describe, expect, it } from "vitest";
import type { Command, ReportPart } from "../model/command.ts";
import { nodeId, type JobId } from "../model/ids.ts";
import type { JobSpec } from "../model/job.ts";
import { historyLengthMax } from "./finish.ts";
import { testExit, TestCluster } from "./cluster.fixture.ts";

const mpi: Partial<JobSpec> = {
  nodeCount: 2,
  toolkit: { kind: "customMpi", commandLine: "train", processCount: 4 },
};
const torch: Partial<JobSpec> = {
  nodeCount: 2,
  toolkit: {
    kind: "pyTorch",
    script: { interpreter: "python3", path: "train.py", arguments: "" },
    processCount: 2,
    backend: "nccl",
  },
};

function running(spec: Partial<JobSpec>): { cluster: TestCluster; job: JobId } {
  const cluster = placed(spec);
  cluster.cluster.prepare(cluster.job);
  cluster.cluster.start(cluster.job);
  return cluster;
}

function placed(spec: Partial<JobSpec>): { cluster: TestCluster; job: JobId } {
  const cluster = new TestCluster();
  cluster.register("dev1");
  cluster.register("dev2");
  const job = cluster.submit(spec);
  cluster.place(job, "dev1", "dev2");
  return { cluster, job };
}

describe("fencing", () => {
  it("hears only the holder of the fence", () => {
    const { cluster, job } = placed(mpi);
    const report = cluster.report(job, "dev1", { kind: "prepared" }) as ReportPart;
    const impostors: Command[] = [
      { ...report, job: 9 as JobId },
      { ...report, attempt: 2 },
      { ...report, fence: { ...report.fence, index: report.fence.index - 1 } },
      { ...report, fence: { ...report.fence, epoch: 1 } },
      { ...report, node: nodeId("dev3") },
    ];
    for (const impostor of impostors) expect(cluster.apply(impostor)).toMatchObject({ code: "stale" });
    expect(cluster.attempt(job).parts.map((part) => part.progress.kind)).toEqual(["assigned", "assigned"]);
  });

  it("hears nothing of a lost part, nor of an attempt that is over", () => {
    const { cluster, job } = running(mpi);
    const late = cluster.report(job, "dev2", { kind: "stopped", exits: [] });
    cluster.expire("dev2");
    expect(cluster.apply(late)).toMatchObject({ reason: "the part of job 1 on node dev2 was lost" });
    cluster.stop(job, "dev1");
    expect(cluster.apply(late)).toMatchObject({ reason: "job 1 is queued, it has no active attempt" });
  });
});

describe("prepared", () => {
  it("may be repeated, also after the start", () => {
    const { cluster, job } = placed(mpi);
    cluster.prepare(job, "dev1", "dev1", "dev2");
    cluster.start(job);
    cluster.prepare(job, "dev1");
    expect(cluster.job(job).state.kind).toBe("running");
  });
});

describe("refused", () => {
  it("releases the whole gang with that node's reason, for another try", () => {
    const { cluster, job } = placed(mpi);
    cluster.refuse(job, "dev2", "no such folder: /data");
    expect(cluster.job(job)).toMatchObject({
      refusals: 1,
      state: {
        kind: "terminating",
        outcome: { kind: "retry", charged: false, reason: "dev2: no such folder: /data" },
      },
    });
    cluster.stop(job, "dev1");
    expect(cluster.job(job).state).toMatchObject({ kind: "queued", because: "dev2: no such folder: /data" });
  });

  it("fails the job at the third time in a row", () => {
    const { cluster, job } = placed(mpi);
    for (const attempt of [1, 2, 3]) {
      if (attempt > 1) cluster.place(job, "dev1", "dev2");
      cluster.refuse(job, "dev1", "disk full");
      cluster.refuse(job, "dev2", "disk full, too");
    }
    expect(cluster.job(job).state).toMatchObject({
      kind: "failed",
      exitCode: 125,
      reason: "dev1: disk full",
    });
  });

  it("counts anew once an attempt got to running", () => {
    const { cluster, job } = placed(mpi);
    cluster.refuse(job, "dev1", "disk full");
    cluster.stop(job, "dev2");
    cluster.run(job, "dev1", "dev2");
    expect(cluster.job(job).refusals).toBe(0);
  });
});

describe("exited", () => {
  it("succeeds an MPI job with its mpirun, when all is stopped", () => {
    const { cluster, job } = running(mpi);
    cluster.exit(job, "dev1");
    expect(cluster.job(job).state).toMatchObject({ kind: "terminating", outcome: { kind: "succeed" } });
    cluster.stop(job);
    expect(cluster.job(job)).toMatchObject({ state: { kind: "succeeded" }, history: [{ number: 1 }] });
    expect(cluster.state.allocationsOf(nodeId("dev1"))).toEqual([]);
  });

  it("waits for every part that has ranks", () => {
    const { cluster, job } = running(torch);
    cluster.exit(job, "dev2");
    cluster.exit(job, "dev2");
    expect(cluster.job(job).state.kind).toBe("running");
    cluster.exit(job, "dev1");
    expect(cluster.job(job).state).toMatchObject({ outcome: { kind: "succeed" } });
  });

  it("charges a failure as long as the job has retries, then fails with its code", () => {
    const { cluster, job } = running({ ...torch, maxRetries: 1 });
    cluster.exit(job, "dev2", 3);
    expect(cluster.job(job).state).toMatchObject({
      outcome: { kind: "retry", charged: true, reason: "task-0 on node dev2 exited with code 3" },
    });
    cluster.stop(job);
    expect(cluster.job(job)).toMatchObject({ failures: 1, state: { kind: "queued" } });

    cluster.run(job, "dev1", "dev2");
    cluster.exit(job, "dev1", 4);
    cluster.stop(job);
    expect(cluster.job(job).state).toMatchObject({
      kind: "failed",
      exitCode: 4,
      reason: "task-0 on node dev1 exited with code 4",
    });
  });

  it.each([
    ["deadline", "task-0 on node dev1 was ended because its node's lease ran out"],
    ["shim-lost", "task-0 on node dev1 was ended by the loss of its shim"],
    ["stopped", "task-0 on node dev1 was stopped though nobody had ordered it"],
  ] as const)("does not charge the job for an end from outside: %s", (endedBy, reason) => {
    const { cluster, job } = running(torch);
    cluster.exit(job, "dev1", 137, endedBy);
    expect(cluster.job(job).state).toMatchObject({ outcome: { kind: "retry", charged: false, reason } });
  });

  it("finds the rank that failed among those that fell with it", () => {
    const { cluster, job } = running(torch);
    const exits = [
      testExit(137, "shim-lost"),
      { ...testExit(9), command: "task-1", reason: "out of memory" },
    ];
    cluster.must(cluster.report(job, "dev1", { kind: "exited", exits }));
    expect(cluster.job(job).state).toMatchObject({
      outcome: { kind: "fail", exitCode: 9, reason: "task-1 on node dev1 exited with code 9: out of memory" },
    });
  });

  it("is impossible before the start, and without an exit where there are tasks", () => {
    const { cluster, job } = placed(mpi);
    const exited = cluster.report(job, "dev1", { kind: "exited", exits: [testExit(0)] });
    expect(cluster.apply(exited)).toMatchObject({ code: "impossible" });
    cluster.prepare(job);
    cluster.start(job);
    const empty = cluster.report(job, "dev1", { kind: "exited", exits: [] });
    expect(cluster.apply(empty)).toMatchObject({ code: "impossible" });
  });
});

describe("stopped", () => {
  it("that nobody ordered ends the gang for another try, not charged", () => {
    const { cluster, job } = running(torch);
    cluster.stop(job, "dev2");
    expect(cluster.job(job).state).toMatchObject({
      outcome: {
        kind: "retry",
        charged: false,
        reason: "node dev2 stopped its part though nobody had ordered it",
      },
    });
    cluster.stop(job, "dev2");
    cluster.stop(job, "dev1");
    expect(cluster.job(job).state.kind).toBe("queued");
  });

  it("of a part whose tasks had ended well takes nothing from the gang", () => {
    const { cluster, job } = running(torch);
    cluster.exit(job, "dev2");
    cluster.stop(job, "dev2");
    expect(cluster.job(job).state.kind).toBe("running");
    cluster.exit(job, "dev1");
    cluster.stop(job, "dev1");
    expect(cluster.job(job).state.kind).toBe("succeeded");
  });

  it("turns a success into a failure when it brings the failure of a command", () => {
    const { cluster, job } = running(mpi);
    cluster.exit(job, "dev1");
    const exits = [{ command: "rsh-1", code: 7, endedBy: "itself", reason: null } as const];
    cluster.must(cluster.report(job, "dev2", { kind: "stopped", exits }));
    cluster.stop(job, "dev1");
    expect(cluster.job(job).state).toMatchObject({ kind: "failed", exitCode: 7 });
  });

  it("does not blame commands that were ended by the order to stop", () => {
    const { cluster, job } = running(mpi);
    cluster.exit(job, "dev1");
    const exits = [{ command: "rsh-1", code: 143, endedBy: "stopped", reason: null } as const];
    cluster.must(cluster.report(job, "dev2", { kind: "stopped", exits }));
    cluster.stop(job, "dev1");
    expect(cluster.job(job).state.kind).toBe("succeeded");
  });
});

describe("a report of what is known already", () => {
  it("changes nothing: a part stays stopped, with the exits it first told", () => {
    const { cluster, job } = running(mpi);
    cluster.exit(job, "dev1");
    cluster.stop(job, "dev1");
    const before = cluster.job(job);
    expect(cluster.attempt(job).parts[0]?.progress).toEqual({ kind: "stopped", exits: [testExit(0)] });
    cluster.must(cluster.report(job, "dev1", { kind: "stopped", exits: [testExit(5)] }));
    cluster.must(cluster.report(job, "dev1", { kind: "exited", exits: [testExit(5)] }));
    cluster.refuse(job, "dev1", "disk full");
    cluster.prepare(job, "dev1");
    expect(cluster.job(job)).toBe(before);
  });

  it("changes nothing of a part that has exited, but its stop", () => {
    const { cluster, job } = running(torch);
    cluster.exit(job, "dev2");
    const before = cluster.job(job);
    cluster.exit(job, "dev2", 5);
    cluster.refuse(job, "dev2", "disk full");
    expect(cluster.job(job)).toBe(before);
  });
});

describe("history", () => {
  it("keeps the newest attempts", () => {
    const { cluster, job } = placed({ nodeCount: 2 });
    for (let attempt = 1; attempt <= historyLengthMax + 2; attempt++) {
      if (attempt > 1) cluster.place(job, "dev1", "dev2");
      cluster.stop(job);
    }
    const numbers = cluster.job(job).history.map((past) => past.number);
    expect(numbers).toEqual(Array.from({ length: historyLengthMax }, (_, i) => i + 3));
  });
});
