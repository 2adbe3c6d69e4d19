import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jobId, nodeId, poolId, session } from "../../scheduler/model/ids.ts";
import type { Attempt, JobSpec, Toolkit } from "../../scheduler/model/job.ts";
import type { NodeFacts } from "../../scheduler/model/node.ts";
import type { CommandSpec, Executor } from "../executor/executor.ts";
import type { FakeProgram } from "../executor/fake-executor.ts";
import { FakeExecutor } from "../executor/fake-executor.ts";
import { ManualClock } from "../executor/manual-clock.ts";
import type { AssignedEntry } from "./ledger.ts";

/** Runs until it is ended, and leaves on TERM. */
export const RUNS: FakeProgram = { runsForMs: null, code: 0, onTerm: "end" };
/** Ends well after a second. */
export const SUCCEEDS: FakeProgram = { runsForMs: 1_000, code: 0, onTerm: "end" };

export const JOB = jobId(7);
export const TOKEN = "token-of-an-attempt-in-a-test";

const cleanups: (() => unknown)[] = [];

/** Has `cleanUp` do this. */
export function afterwards(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Undoes, newest first, what the fixtures have set up: for a test file's `afterEach`, or its `afterAll`. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
}

/** A folder that is removed afterwards, once what is still written into it has been. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gpumesh-agent-"));
  afterwards(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A machine without processes, on which every command runs `program`. */
export function fakeMachine(program: (command: CommandSpec) => FakeProgram = () => RUNS): {
  readonly clock: ManualClock;
  readonly executor: FakeExecutor;
} {
  const clock = new ManualClock();
  return { clock, executor: new FakeExecutor({ clock, program }) };
}

/** Names of the commands that were ever started for that part. */
export async function commandsOf(executor: Executor, id: string): Promise<readonly string[]> {
  const found = (await executor.list()).find(({ part }) => part.id === id);
  return found?.commands.map(({ name }) => name) ?? [];
}

/** `ranks` makes it a job of several tasks on the node, else it has one on the head. */
export function jobSpec(nodes: number, ranks: number | null = null): JobSpec {
  const script = { interpreter: "/bin/sh", path: "/dev/null", arguments: "" };
  const toolkit: Toolkit =
    ranks === null
      ? { kind: "customToolkit", commandLine: "echo started" }
      : { kind: "pyTorch", script, processCount: ranks, backend: "gloo" };
  return {
    name: "train",
    workspace: "default",
    experiment: "default",
    priority: "normal",
    pool: poolId("gpus"),
    nodeCount: nodes,
    shape: { kind: "wholeNode", gpusAtLeast: 0 },
    toolkit,
    environment: [],
    inputDirectories: [],
    outputDirectories: [],
    stdOutErrPathPrefix: null,
    workingDirectory: null,
    maxRetries: 0,
  };
}

export interface AttemptOptions {
  readonly number?: number;
  readonly nodes?: readonly string[];
}

/** An attempt with a rendezvous port that is free on the loopback interface. */
export async function attemptOf({ number = 1, nodes = ["n1"] }: AttemptOptions = {}): Promise<Attempt> {
  return {
    number,
    fence: { epoch: 0, index: 40 + number },
    placedAt: 0,
    parts: nodes.map((node, at) => ({
      node: nodeId(node),
      session: session(at + 1),
      address: "127.0.0.1:7400",
      hostname: `host-${node}`,
      network: null,
      gpus: [],
      slots: 8,
      progress: { kind: "assigned" },
    })),
    launch: { rendezvousPort: await freePort(), token: TOKEN },
  };
}

/** What the ledger holds of attempt 1 of a job with one task. */
export async function assignedEntry(options: Partial<AssignedEntry> = {}): Promise<AssignedEntry> {
  const attempt = options.attempt ?? (await attemptOf());
  const spec = jobSpec(attempt.parts.length);
  return { kind: "assigned", job: JOB, spec, attempt, partIndex: 0, exits: [], ...options };
}

export function nodeFacts(name: string): NodeFacts {
  return {
    id: nodeId(name),
    address: "127.0.0.1:7400",
    network: null,
    pool: poolId("gpus"),
    spot: false,
    failureDomain: null,
    bootId: "boot",
    version: "0.0.0",
    inventory: {
      hostname: `host-${name}`,
      cpus: 8,
      memoryMiB: 1_024,
      slots: 8,
      gpus: [],
      interfaces: [],
      driver: null,
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
