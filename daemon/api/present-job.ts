import type { JobRecord, Outcome, PastAttempt } from "../../scheduler/model/job.ts";
import { activeAttempt } from "../../scheduler/model/job.ts";
import { tasksOfPart } from "../../scheduler/model/ranks.ts";
import { explainWait } from "../../scheduler/explain/wait.ts";
import type { Store } from "../store/store.ts";
import type { Attempt } from "../../proto/gen/gpumesh/v1/Attempt.ts";
import type { Job } from "../../proto/gen/gpumesh/v1/Job.ts";
import type { Wait } from "../../proto/gen/gpumesh/v1/Wait.ts";

type StateView = ReturnType<Store["view"]>;

/** The job as users see it, with the reason for its state in one line. */
export function presentJob(view: StateView, record: JobRecord): Job {
  const { spec, state } = record;
  const times = timesOf(record);
  const waits = explainWait(view, record.id);
  const wait: Wait | null =
    waits?.kind === "resources"
      ? {
          summary: waits.summary,
          nodesNeeded: waits.needed.nodes,
          nodesAvailable: waits.available,
          nodes: waits.nodes.map((node) => ({ ...node })),
        }
      : null;
  return {
    id: record.id,
    name: spec.name,
    workspace: spec.workspace,
    experiment: spec.experiment,
    pool: spec.pool,
    priority: spec.priority,
    nodeCount: spec.nodeCount,
    state: state.kind,
    submittedAtMs: record.submittedAt,
    submittedBy: record.submittedBy,
    startedAtMs: times.startedAt,
    endedAtMs: times.endedAt,
    exitCode: state.kind === "failed" ? state.exitCode : 0,
    reason: waits === null ? reasonOf(record) : waits.summary,
    wait,
    attempts: attemptsOf(record),
    specJson: JSON.stringify(spec),
    toolkit: spec.toolkit.kind,
  };
}

function timesOf(record: JobRecord): { readonly startedAt: number; readonly endedAt: number } {
  const { state, history } = record;
  const past = history.findLast((attempt) => attempt.startedAt !== null)?.startedAt ?? 0;
  const now = state.kind === "running" || state.kind === "terminating" ? state.startedAt : null;
  const ended = state.kind === "succeeded" || state.kind === "failed" || state.kind === "cancelled";
  return { startedAt: now ?? past, endedAt: ended ? state.endedAt : 0 };
}

function reasonOf({ state }: JobRecord): string {
  switch (state.kind) {
    case "queued":
      return state.because ?? "";
    case "terminating":
      return "reason" in state.outcome ? state.outcome.reason : "";
    case "failed":
    case "cancelled":
      return state.reason;
    case "starting":
    case "running":
    case "succeeded":
      return "";
  }
}

function attemptsOf(record: JobRecord): Attempt[] {
  const past = record.history.map((attempt) => pastAttempt(record, attempt));
  const active = activeAttempt(record);
  if (active === null) return past;
  const { state } = record;
  const current: Attempt = {
    number: active.number,
    placedAtMs: active.placedAt,
    startedAtMs: state.kind === "running" || state.kind === "terminating" ? (state.startedAt ?? 0) : 0,
    endedAtMs: 0,
    outcome: "",
    reason: "",
    parts: active.parts.map((part, index) => ({
      node: part.node,
      gpus: [...part.gpus],
      slots: part.slots,
      progress: part.progress.kind,
      commands: [...tasksOfPart(record.spec, index)],
    })),
  };
  return [...past, current];
}

function pastAttempt(record: JobRecord, attempt: PastAttempt): Attempt {
  return {
    number: attempt.number,
    placedAtMs: attempt.placedAt,
    startedAtMs: attempt.startedAt ?? 0,
    endedAtMs: attempt.endedAt,
    outcome: OUTCOME_WORDS[attempt.outcome.kind],
    reason: "reason" in attempt.outcome ? attempt.outcome.reason : "",
    parts: attempt.nodes.map((node, index) => ({
      node,
      gpus: [],
      slots: 0,
      progress: "",
      commands: attempt.startedAt === null ? [] : [...tasksOfPart(record.spec, index)],
    })),
  };
}

const OUTCOME_WORDS: Readonly<Record<Outcome["kind"], string>> = {
  succeed: "succeeded",
  fail: "failed",
  retry: "retried",
  cancel: "cancelled",
};
