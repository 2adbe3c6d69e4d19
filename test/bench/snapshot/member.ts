import "../../../daemon/main/thread-pool.ts";
import "../../../daemon/main/short-pauses.ts";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_COMPACTION } from "../../../daemon/raft/core-config.ts";
import { LevelLog } from "../../../daemon/raft/level-log.ts";
import type { OpenLogOptions, RaftLog } from "../../../daemon/raft/raft-log.ts";
import { RaftStore } from "../../../daemon/store/raft-store.ts";
import { poolId } from "../../../scheduler/model/ids.ts";
import type { JobSpec } from "../../../scheduler/model/job.ts";
import { benchMeshId } from "../raft/issue.ts";
import { listen, transportOf } from "../raft/member-network.ts";
import type { MemberReport, Order, SnapshotMemberConfig } from "./orders.ts";
import { PauseWatch } from "./pauses.ts";

/** Of the jobs that are submitted as fast as they go. */
const fillInFlight = 256;
const loadGapMs = 10;
/** So many writes in a row that compact nothing say that the log is compacted. */
const idleWrites = 20;
const pollMs = 20;
/** After a snapshot is installed: the old records are cleared, and the old state's memory is freed. */
const settleMs = 3_000;
const stepMsMax = 240_000;

/*
 * One member of a group with the daemon's store: real commands make real records. It watches the pauses of its own event
 * loop, and does what its parent orders.
 */
const config = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as SnapshotMemberConfig;
let writes = 0;
let compactions = 0;
let installations = 0;
let lastCompaction = 0;
let loading = false;
let jobs = 0;

const watch = new PauseWatch();
const transport = transportOf(config);
const beganMs = performance.now();
const store = await RaftStore.start({
  id: config.number,
  meshId: benchMeshId,
  folder: config.folder,
  transport,
  bootstrap: config.founds ? { voters: [config.number] } : null,
  onFatal: (error) => {
    throw error;
  },
  report: (level, line) => console.error(level, line),
  compaction: config.keepsLog
    ? { ...DEFAULT_COMPACTION, entriesKeptMin: Infinity, entriesKeptBytesMax: Infinity }
    : DEFAULT_COMPACTION,
  openLog,
});
const startMs = performance.now() - beganMs;
const startPauses = watch.take();
jobs = store.view().newestJob;
await listen(config, transport);
// What a process does once, at its start, is no pause of a snapshot's.
watch.take();
process.on("message", (order: Order) => {
  loading = false;
  perform(order).then(
    () => process.send?.(report()),
    (error: unknown) => process.send?.(String(error)),
  );
});
// A profile is written only by a process that exits by itself.
process.on("SIGTERM", () => process.exit());
process.send?.("ready");

async function perform(order: Order): Promise<void> {
  switch (order.kind) {
    case "fill":
      return fill(order.jobs);
    case "compact":
      return compact();
    case "addLearner":
      return store.changeMembers([{ kind: "addLearner", member: order.member }]);
    case "load":
      loading = true;
      void load();
      return;
    case "await":
      await until(() => store.view().jobs.size >= order.jobs, `${order.jobs} jobs`);
      return sleep(settleMs);
    case "stop":
      return store.stop();
  }
}

function report(): MemberReport {
  return {
    jobs: store.view().jobs.size,
    pauses: watch.take(),
    startMs,
    startPauses,
    compactions,
    installations,
  };
}

async function fill(count: number): Promise<void> {
  await until(() => store.leadership().leads, "the leadership");
  let left = count;
  const submitInTurn = async (): Promise<void> => {
    while (left-- > 0) await submit();
  };
  await Promise.all(Array.from({ length: fillInFlight }, submitInTurn));
}

async function compact(): Promise<void> {
  await until(() => store.leadership().leads, "the leadership");
  lastCompaction = writes;
  while (writes - lastCompaction < idleWrites) {
    await submit();
    await sleep(loadGapMs);
  }
}

async function load(): Promise<void> {
  while (loading) {
    await submit();
    await sleep(loadGapMs);
  }
}

async function submit(): Promise<void> {
  jobs += 1;
  const requestId = `request-${config.number}-${jobs}`;
  const spec = specOf(jobs);
  const result = await store.propose({
    kind: "submitJob",
    at: Date.now(),
    requestId,
    spec,
    submittedBy: "alice",
  });
  if (result.kind !== "job") throw new Error(`submit gave ${JSON.stringify(result)}`);
}

function specOf(number: number): JobSpec {
  return {
    name: `train-${number}`,
    workspace: "default",
    experiment: "default",
    priority: "normal",
    pool: poolId("default"),
    nodeCount: 2,
    shape: { kind: "wholeNode", gpusAtLeast: 8 },
    toolkit: {
      kind: "pyTorch",
      script: {
        interpreter: "python",
        path: "/data/train.py",
        arguments: `--seed ${number} --epochs 90 --output $AZ_BATCHAI_OUTPUT_MODEL`,
      },
      processCount: 16,
      backend: "nccl",
    },
    environment: [{ name: "NCCL_DEBUG", value: "WARN" }],
    inputDirectories: [{ id: "DATA", path: "/data/imagenet" }],
    outputDirectories: [{ id: "MODEL", pathPrefix: "/data/models", pathSuffix: "" }],
    stdOutErrPathPrefix: null,
    workingDirectory: null,
    maxRetries: 0,
  };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + stepMsMax;
  while (!holds()) {
    if (performance.now() > deadlineMs) throw new Error(`no ${what} after ${stepMsMax} ms`);
    await sleep(pollMs);
  }
}

/** The product's log, which is looked at as it writes. */
async function openLog(folder: string, options: OpenLogOptions): Promise<RaftLog> {
  const log = await LevelLog.open(folder, options);
  const append = log.append.bind(log);
  log.append = async (batch) => {
    await append(batch);
    writes += 1;
    if (batch.install !== null) installations += 1;
    if (batch.compactTo === null) return;
    compactions += 1;
    lastCompaction = writes;
  };
  return log;
}
