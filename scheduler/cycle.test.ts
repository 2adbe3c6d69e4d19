import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cycle } from "./cycle.ts";
import { explainWait } from "./explain/wait.ts";
import type { Command, PlaceGang } from "./model/command.ts";
import { activeAttempt, PRIORITIES, type JobSpec } from "./model/job.ts";
import type { NodeRecord } from "./model/node.ts";
import { orderQueue } from "./queue/order.ts";
import { apply } from "./state/apply.ts";
import { recordsOf, restoreState } from "./state/records.ts";
import type { StateView } from "./state/state.ts";
import { TestCluster } from "./state/cluster.fixture.ts";
import { bringUp, commandOf, histories, type Step } from "./state/history.fixture.ts";

function secrets(): { token(): string } {
  let made = 0;
  return { token: () => `secret-${made++}` };
}

function plan(cluster: TestCluster): readonly Command[] {
  return cycle(cluster.state, cluster.now, secrets());
}

function placed(commands: readonly Command[]): PlaceGang[] {
  return commands.filter((command) => command.kind === "placeGang");
}

describe("cycle", () => {
  const wide: Partial<JobSpec> = { nodeCount: 2, shape: { kind: "share", gpus: 8, slots: 1 } };

  it("places by priority, then by submission, and lets a job that fits pass one that does not", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    cluster.submit({ priority: "low", shape: { kind: "share", gpus: 4, slots: 1 } });
    cluster.submit({ ...wide, priority: "high" });
    cluster.submit({ shape: { kind: "share", gpus: 4, slots: 1 } });
    cluster.submit({ shape: { kind: "share", gpus: 4, slots: 1 } });
    expect(placed(plan(cluster)).map((command) => command.job)).toEqual([3, 4]);
  });

  it("places and starts a gang, each with the time and secrets it was given", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    cluster.register("dev2");
    const job = cluster.submit(wide);
    expect(cycle(cluster.state, 42, secrets())).toMatchObject([
      {
        kind: "placeGang",
        at: 42,
        job,
        attempt: 1,
        parts: [{ node: "dev1" }, { node: "dev2" }],
        launch: { rendezvousPort: 29_408, token: "secret-0" },
      },
    ]);
    cluster.place(job, "dev1", "dev2");
    cluster.prepare(job, "dev1");
    expect(plan(cluster)).toEqual([]);
    cluster.prepare(job, "dev2");
    expect(cycle(cluster.state, 43, secrets())).toEqual([{ kind: "startGang", at: 43, job, attempt: 1 }]);
  });

  it("gives jobs with the same first node different ports", () => {
    const cluster = new TestCluster();
    cluster.register("dev1");
    const often = cluster.submit();
    for (let attempt = 1; attempt <= 7; attempt++) {
      cluster.place(often, "dev1");
      cluster.stop(often);
    }
    // Attempt 8 of job 1 and attempt 1 of job 2 begin their walk at the same port.
    cluster.submit();
    expect(placed(plan(cluster)).map(({ launch }) => launch.rendezvousPort)).toEqual([29_415, 29_416]);
  });

  it("gives the same commands for the same arguments", () => {
    const cluster = new TestCluster();
    bringUp(cluster);
    for (let i = 0; i < 6; i++) cluster.submit();
    expect(plan(cluster)).toEqual(plan(cluster));
  });

  it("keeps all its promises at the end of any history", () => {
    let waits = 0;
    let places = 0;
    fc.assert(
      fc.property(histories(120), (steps) => {
        const cluster = after(steps);
        // A queue to choose from, on what the history left.
        const specs = [...cluster.state.jobs.values()].map((job) => job.spec);
        specs.slice(0, 10).forEach((spec, i) => {
          cluster.submit({ ...spec, priority: PRIORITIES[i % 3] ?? "low" });
        });
        const view = cluster.state;
        const commands = plan(cluster);
        const placements = placed(commands);

        // A job is placed if and only if it fits what the jobs before it in the order have left: no job of lower
        // priority takes what a higher one could have used.
        const left = restoreState(recordsOf(view), view.version);
        for (const job of orderQueue(view.queuedJobs())) {
          const fitting = [...left.nodes.values()].filter((node) => couldTake(left, node, job.spec));
          const own = placements.find((command) => command.job === job.id);
          expect(own !== undefined).toBe(fitting.length >= job.spec.nodeCount);
          if (own !== undefined) apply(left, own, left.version + 1);
        }

        // Every command is accepted when applied in order; `must` throws on a refusal.
        for (const command of commands) cluster.must(command);

        // Whatever still waits has a reason that is true, and nothing is left to place.
        for (const job of view.queuedJobs()) {
          expect(available(cluster, job.id)).toBeLessThan(job.spec.nodeCount);
          waits++;
        }
        expect(plan(cluster)).toEqual([]);

        // No two attempts with one head share a port.
        const heads = [...view.activeJobs()].map((job) => {
          const attempt = cluster.attempt(job.id);
          return `${attempt.parts[0]?.node} ${attempt.launch.rendezvousPort}`;
        });
        expect(new Set(heads).size).toBe(heads.length);
        places += placements.length;
      }),
      { numRuns: 150 },
    );
    expect(Math.min(waits, places)).toBeGreaterThan(100);
  });
});

/** A history in which the cycle, not chance, places and starts. */
function after(steps: readonly Step[]): TestCluster {
  const cluster = new TestCluster();
  bringUp(cluster);
  for (const step of steps) {
    if (step.verb === "place") for (const command of plan(cluster)) cluster.must(command);
    else if (step.verb !== "start") cluster.apply(commandOf(cluster, step));
  }
  return cluster;
}

/** Whether the node has room for one part of the job, worked out from the records alone. */
function couldTake(view: StateView, node: NodeRecord, { pool, shape }: JobSpec): boolean {
  if (node.state.kind !== "ready" || node.facts?.pool !== pool) return false;
  const attempts = [...view.jobs.values()].flatMap(
    (job) => activeAttempt(job)?.parts.map((part) => ({ job, part })) ?? [],
  );
  const here = attempts.filter(({ part }) => part.node === node.id);
  if (here.some(({ job }) => job.spec.shape.kind === "wholeNode")) return false;
  const { inventory } = node.facts;
  const free = inventory.gpus.filter(
    (gpu) => gpu.healthy && !here.some(({ part }) => part.gpus.includes(gpu.uuid)),
  );
  const slots = inventory.slots - here.reduce((sum, { part }) => sum + part.slots, 0);
  return shape.kind === "wholeNode"
    ? here.length === 0 && free.length >= shape.gpusAtLeast
    : free.length >= shape.gpus && slots >= shape.slots;
}

/** Nodes that would take a part of the queued job now, by its explanation. */
function available(cluster: TestCluster, id: number): number {
  const reason = explainWait(cluster.state, cluster.job(id).id);
  if (reason?.kind !== "resources") throw new Error(`job ${id} does not wait for resources`);
  expect(reason.needed.nodes).toBe(cluster.job(id).spec.nodeCount);
  return reason.available;
}
