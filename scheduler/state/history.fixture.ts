import fc from "fast-check";
import type { Command, PartReport } from "../model/command.ts";
import { DEFAULT_POOL, jobId, nodeId, poolId, session, type JobId } from "../model/ids.ts";
import {
  PRIORITIES,
  type CommandExit,
  type JobSpec,
  type JobState,
  type NodeShape,
  type Toolkit,
} from "../model/job.ts";
import { testExit, testFacts, testSpec, type TestCluster, type TestMachine } from "./cluster.fixture.ts";

/**
 * One step of a random history: what to try, and numbers that pick with whom. The command is made from the state that
 * the step finds, so that most steps mean something and shrinking keeps its sense.
 */
export interface Step {
  readonly verb: Verb;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

type Verb = "register" | "vote" | "expire" | "submit" | "cancel" | "place" | "start" | "report";

/** Random histories; the verbs that move a job along are the most frequent. */
export function histories(stepsMax: number): fc.Arbitrary<readonly Step[]> {
  const verb = fc.oneof(
    { weight: 3, arbitrary: fc.constant<Verb>("register") },
    { weight: 1, arbitrary: fc.constant<Verb>("expire") },
    { weight: 1, arbitrary: fc.constant<Verb>("vote") },
    { weight: 4, arbitrary: fc.constant<Verb>("submit") },
    { weight: 1, arbitrary: fc.constant<Verb>("cancel") },
    { weight: 8, arbitrary: fc.constant<Verb>("place") },
    { weight: 6, arbitrary: fc.constant<Verb>("start") },
    { weight: 22, arbitrary: fc.constant<Verb>("report") },
  );
  const pick = fc.nat({ max: 999 });
  return fc.array(fc.record({ verb, a: pick, b: pick, c: pick, d: pick }), {
    maxLength: stepsMax,
    size: "max",
  });
}

/** A cluster of four small nodes, the last in a pool of its own. */
export function bringUp(cluster: TestCluster): void {
  for (const name of NODES) cluster.register(name, machineOf(name, 0));
}

/** The step as a command on the cluster of now. About one in ten names something that is not so. */
export function commandOf(cluster: TestCluster, { verb, a, b, c, d }: Step): Command {
  const at = cluster.now;
  const wrong = c % 10 === 9;
  switch (verb) {
    case "register": {
      const name = pickFrom(NODES, a);
      return { kind: "registerNode", at, facts: testFacts(wrong ? "stranger" : name, machineOf(name, b)) };
    }
    case "expire": {
      const node = nodeId(pickFrom(NODES, a));
      const current = cluster.state.nodes.get(node)?.session ?? session(0);
      return {
        kind: "expireNode",
        at,
        node,
        session: wrong ? session(current - 1) : current,
        reason: "silent",
      };
    }
    case "vote": {
      const vote = pickFrom(["automatic", "preferred", "barred"] as const, b);
      const node = nodeId(wrong ? "stranger" : pickFrom(NODES, a));
      return { kind: "setVote", at, requestId: `vote-${d % 10}`, node, vote };
    }
    case "submit":
      return {
        kind: "submitJob",
        at,
        requestId: `request-${a % 40}`,
        spec: specOf(a, b, c),
        submittedBy: "alice",
      };
    case "cancel":
      return { kind: "cancelJob", at, requestId: `cancel-${at}`, job: someJob(cluster, a), by: "bob" };
    case "place":
      return placeCommand(cluster, a, b, c);
    case "start": {
      const job = prepared(cluster, a);
      const attempt = cluster.state.jobs.get(job)?.attempts ?? 0;
      return { kind: "startGang", at, job, attempt: wrong ? attempt + 1 : attempt };
    }
    case "report":
      return reportCommand(cluster, a, b, c, d);
  }
}

const NODES = ["dev1", "dev2", "dev3", "dev4"] as const;

const SHAPES: readonly NodeShape[] = [
  { kind: "share", gpus: 1, slots: 1 },
  { kind: "share", gpus: 2, slots: 0 },
  { kind: "share", gpus: 0, slots: 2 },
  { kind: "share", gpus: 0, slots: 0 },
  { kind: "wholeNode", gpusAtLeast: 1 },
];

const script = { interpreter: "python3", path: "train.py", arguments: "" };
const TOOLKITS: readonly Toolkit[] = [
  { kind: "customToolkit", commandLine: "train" },
  { kind: "customMpi", commandLine: "train", processCount: 3 },
  { kind: "pyTorch", script, processCount: 2, backend: "gloo" },
];

function machineOf(name: string, variant: number): TestMachine {
  return {
    gpus: 2,
    slots: 4,
    pool: name === "dev4" ? "other" : "default",
    bootId: `boot-${variant % 13 === 12 ? variant : 0}`,
    sick: variant % 9 === 8 ? [variant % 2] : [],
  };
}

function specOf(a: number, b: number, c: number): JobSpec {
  return testSpec({
    priority: pickFrom(PRIORITIES, a),
    // Pool "other" has one node, so some of its jobs can never run.
    pool: c % 7 === 6 ? poolId("other") : DEFAULT_POOL,
    nodeCount: 1 + (b % 3),
    shape: pickFrom(SHAPES, c),
    toolkit: pickFrom(TOOLKITS, a + b),
    maxRetries: (a + c) % 3,
  });
}

function placeCommand(cluster: TestCluster, a: number, b: number, c: number): Command {
  const queued = [...cluster.state.queuedJobs()];
  const job = queued.length > 0 ? pickFrom(queued, a).id : someJob(cluster, a);
  const known = cluster.state.jobs.get(job);
  if (known === undefined) {
    const launch = { rendezvousPort: 29_400, token: "secret" };
    return { kind: "placeGang", at: cluster.now, job, attempt: 1, parts: [], launch };
  }
  const ready = NODES.filter((name) => {
    const { state, facts } = cluster.node(name);
    return state.kind === "ready" && facts?.pool === known.spec.pool;
  });
  const from = ready.length === 0 || c % 10 === 9 ? NODES : ready;
  const names = Array.from({ length: known.spec.nodeCount }, (_, i) => pickFrom(from, b + i));
  const plan = cluster.plan(job, ...names);
  switch (c % 20) {
    case 17:
      return { ...plan, attempt: plan.attempt + 1 };
    case 18:
      return { ...plan, parts: plan.parts.slice(1) };
    case 19:
      return { ...plan, parts: plan.parts.map((part) => ({ ...part, placeable: part.placeable - 1 })) };
    default:
      return plan;
  }
}

function reportCommand(cluster: TestCluster, a: number, b: number, c: number, d: number): Command {
  const active = [...cluster.state.activeJobs()];
  const job = active.length > 0 ? pickFrom(active, a).id : jobId(1);
  const attempt = active.length > 0 ? cluster.attempt(job) : null;
  const part = attempt === null ? null : pickFrom(attempt.parts, b);
  const fence = attempt?.fence ?? { epoch: 0, index: 1 };
  return {
    kind: "reportPart",
    at: cluster.now,
    job,
    attempt: attempt?.number ?? 1,
    fence: c % 20 === 19 ? { ...fence, index: fence.index - 1 } : fence,
    node: part?.node ?? nodeId("dev1"),
    report: reportOf(cluster.state.jobs.get(job)?.state.kind, c, d),
  };
}

/** Mostly what the node would say next; now and then anything. */
function reportOf(state: JobState["kind"] | undefined, c: number, d: number): PartReport {
  const enders: readonly CommandExit["endedBy"][] = [
    "itself",
    "itself",
    "itself",
    "deadline",
    "shim-lost",
    "stopped",
  ];
  const exits = [testExit(d % 3 === 0 ? 1 + (d % 100) : 0, pickFrom(enders, d))];
  const anything: readonly PartReport[] = [
    { kind: "prepared" },
    { kind: "refused", reason: "disk full" },
    { kind: "exited", exits },
    { kind: "stopped", exits: c % 3 === 0 ? exits : [] },
  ];
  if (c % 12 === 11) return pickFrom(anything, Math.floor(c / 12));
  switch (state) {
    case "starting":
      return { kind: "prepared" };
    case "running":
      return { kind: "exited", exits };
    default:
      return { kind: "stopped", exits: [] };
  }
}

/** A job whose whole gang is prepared where there is one. */
function prepared(cluster: TestCluster, pick: number): JobId {
  const ready = [...cluster.state.activeJobs()].filter(
    ({ state }) =>
      state.kind === "starting" && state.attempt.parts.every((part) => part.progress.kind === "prepared"),
  );
  return ready.length > 0 ? pickFrom(ready, pick).id : someJob(cluster, pick);
}

function someJob(cluster: TestCluster, pick: number): JobId {
  return jobId(1 + (pick % (cluster.state.jobs.size + 1)));
}

function pickFrom<T>(list: readonly T[], pick: number): T {
  const item = list[pick % list.length];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}
