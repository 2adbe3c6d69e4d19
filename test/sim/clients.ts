import { testSpec } from "../../scheduler/state/cluster.fixture.ts";
import type { ApplyResult } from "../../scheduler/model/command.ts";
import type { JobId } from "../../scheduler/model/ids.ts";
import { StoreError } from "../../daemon/store/store.ts";
import { isLinearizable } from "./checks/history.ts";
import type { Operation, Seen } from "./checks/history.ts";
import type { StateMachines } from "./checks/state-machines.ts";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Replica } from "./replica.ts";
import type { Verdict } from "./verdict.ts";

export interface ClientRates {
  readonly clients: number;
  /** Mean ms between two operations of one client. */
  readonly thinkMs: number;
  /** How long a client waits for one replica before it asks another. */
  readonly patienceMs: number;
  /** How often an answer does not come back. */
  readonly answerLoss: number;
}

/** One job as the clients know it. */
interface Request {
  readonly id: string;
  job: JobId | null;
  readonly operations: Operation[];
}

/** What a replica answers to an attempt. */
type Answer =
  | { readonly kind: "result"; readonly result: ApplyResult }
  | { readonly kind: "seen"; readonly job: JobId | null; readonly seen: Seen; readonly version: number }
  | { readonly kind: "error"; readonly error: StoreError | null };

/** With this patience everybody gets an answer from a healthy group. */
const LONG_PATIENCE_MS = 3_000;
/** Mean ms between two operations of one client of a healthy group, or more. */
const CALM_THINK_MS = 100;
/** What the store is given to answer in, as a share of the client's patience. */
const PROPOSE_SHARE = 0.7;
const READ_SHARE = 0.25;
const BACK_OFF_MS = 60;
/** Operations work on the newest requests, so that many meet on each. */
const REQUESTS_IN_USE = 6;
const OPERATIONS_PER_REQUEST_MAX = 24;

/** Clients that submit, cancel and read jobs, one operation at a time each, and try again until they have an answer. */
export class Clients {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #verdict: Verdict;
  readonly #states: StateMachines;
  readonly #replicas: ReadonlyMap<number, Replica>;
  readonly #rates: ClientRates;
  readonly #requests: Request[] = [];
  /** By client: when the operation began that was answered last. */
  readonly #answered: number[];
  #answerLoss: number;
  #patienceMs: number;
  #thinkMs: number;
  #answeredLast: number | null = null;
  #idle = 0;
  #burst = 0;
  #stopping = false;

  constructor(
    clock: Clock,
    random: Random,
    verdict: Verdict,
    states: StateMachines,
    replicas: ReadonlyMap<number, Replica>,
    rates: ClientRates,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#verdict = verdict;
    this.#states = states;
    this.#replicas = replicas;
    this.#rates = rates;
    this.#answerLoss = rates.answerLoss;
    this.#patienceMs = rates.patienceMs;
    this.#thinkMs = rates.thinkMs;
    this.#answered = Array.from({ length: rates.clients }, () => -1);
    for (let client = 0; client < rates.clients; client++) this.#think(client);
  }

  /** How many operations were answered. */
  get operations(): number {
    return this.#requests
      .flatMap(({ operations }) => operations)
      .filter(({ answeredAt }) => answeredAt < Infinity).length;
  }

  /** Whether each client has an answer to something that it has begun after this time. */
  haveProgressedSince(time: number): boolean {
    return this.#answered.every((calledAt) => calledAt >= time);
  }

  /** From now on every answer comes back, and is waited for; and there is less to do. */
  heal(): void {
    this.#thinkMs = Math.max(this.#rates.thinkMs, CALM_THINK_MS);
    this.#answerLoss = 0;
    this.#patienceMs = LONG_PATIENCE_MS;
  }

  /** Begins nothing new. */
  stop(): void {
    this.#stopping = true;
  }

  get areIdle(): boolean {
    return this.#idle === this.#rates.clients;
  }

  /** So many others submit a job each, of whoever believes to lead, and do not wait. */
  burst(commands: number, overMs: number): void {
    for (let nth = 0; nth < commands; nth++) {
      const requestId = `burst-${++this.#burst}`;
      this.#clock.after(this.#random.next() * overMs, () => this.#submitUnawaited(requestId));
    }
  }

  /** To be called at the end. */
  checkHistory(): void {
    for (const { id, operations } of this.#requests) {
      if (isLinearizable(operations)) continue;
      this.#verdict.fail("the clients' history is linearizable", `${id}: ${JSON.stringify(operations)}`);
    }
  }

  #think(client: number): void {
    this.#clock.after(this.#random.around(this.#thinkMs), () => {
      if (this.#stopping) this.#idle++;
      else this.#begin(client);
    });
  }

  #begin(client: number): void {
    const request = this.#chooseRequest();
    const dice = this.#random.next();
    const kind =
      request.operations.length === 0 || dice < 0.1
        ? "submit"
        : dice < 0.3 && request.job !== null
          ? "cancel"
          : "read";
    const operation: Operation = { kind, calledAt: this.#clock.now, answeredAt: Infinity, seen: null };
    request.operations.push(operation);
    this.#attempt(
      { client, request, operation, versionFloor: this.#states.newestVersion },
      kind === "read" ? this.#anyone() : null,
    );
  }

  #chooseRequest(): Request {
    const known = this.#requests.slice(-REQUESTS_IN_USE);
    const open = known.filter(({ operations }) => operations.length < OPERATIONS_PER_REQUEST_MAX);
    if (open.length > 0 && this.#random.chance(0.6)) return this.#random.pick(open);
    const request = { id: `request-${this.#requests.length + 1}`, job: null, operations: [] };
    this.#requests.push(request);
    return request;
  }

  /** Asks one replica; whoever gets no answer in time, or a refusal, asks another with the same request. */
  #attempt(task: Task, hint: number | null): void {
    const { operation, request } = task;
    const replica = this.#replicas.get(hint ?? this.#choose());
    let settled = false;
    const again = (leader: number | null, delayMs: number): void => {
      if (settled || operation.answeredAt < Infinity) return;
      settled = true;
      this.#clock.after(delayMs, () => {
        if (operation.answeredAt === Infinity) this.#attempt(task, leader);
      });
    };
    const backOff = (leader: number | null): void => again(leader, this.#random.around(BACK_OFF_MS));
    this.#clock.after(this.#patienceMs, () => again(null, 0));
    this.#clock.after(this.#random.around(0.5), () => {
      const process = replica?.process ?? null;
      if (replica === undefined || process === null) return backOff(null);
      process.take("io", () => {
        this.#ask(replica, request, operation).then(
          (answer) => {
            if (this.#random.chance(this.#answerLoss)) return this.#verdict.mark("answer lost");
            this.#clock.after(this.#random.around(0.5), () => {
              if (answer.kind !== "error") return this.#take(task, replica, answer);
              if (answer.error?.code === "unknown-outcome") this.#verdict.mark("retry of an unknown outcome");
              // Who is told of a leader may have it from the last to know that it was deposed.
              backOff(this.#random.chance(0.5) ? (answer.error?.leader ?? null) : null);
            });
          },
          (error: unknown) => this.#verdict.fail("a store fails in its own words", String(error)),
        );
      });
    });
  }

  #submitUnawaited(requestId: string): void {
    const leading = [...this.#replicas.values()].filter(({ id, store }) => store?.leadership().leader === id);
    if (leading.length === 0) return;
    const replica = this.#random.pick(leading);
    const at = Math.floor(this.#clock.now);
    const command = { kind: "submitJob", at, requestId, spec: SPEC, submittedBy: "alice" } as const;
    replica.process?.post("io", 0, () => {
      replica.store?.propose(command, { timeoutMs: LONG_PATIENCE_MS }).then(
        (result) => {
          if (result.kind === "job") this.#states.acknowledge(requestId, result.job);
        },
        // Nobody waits for this answer.
        () => {},
      );
    });
  }

  /** Whoever answered last, or anyone. */
  #choose(): number {
    const known = this.#random.chance(0.5) ? this.#answeredLast : null;
    return known ?? this.#anyone();
  }

  #anyone(): number {
    return this.#random.pick([...this.#replicas.keys()]);
  }

  async #ask(replica: Replica, { id, job, operations }: Request, operation: Operation): Promise<Answer> {
    const { kind } = operation;
    const { store } = replica;
    if (store === null) return { kind: "error", error: null };
    const at = Math.floor(this.#clock.now);
    const patienceMs = this.#patienceMs;
    try {
      if (kind === "read") {
        await store.readBarrier(READ_SHARE * patienceMs);
        const seen = store.view().jobByRequest(id);
        if (!store.leadership().leads) this.#verdict.mark("read served by a follower");
        const { version } = store.view();
        return { kind: "seen", job: seen?.id ?? null, seen: seenOf(seen?.state.kind), version };
      }
      if (kind === "submit" && store.view().jobByRequest(id) !== null) this.#verdict.mark("duplicate submit");
      const command =
        kind === "submit"
          ? ({ kind: "submitJob", at, requestId: id, spec: SPEC, submittedBy: "alice" } as const)
          : ({
              kind: "cancelJob",
              at,
              requestId: `${id}-${operations.indexOf(operation)}`,
              job: job ?? NO_JOB,
              by: "alice",
            } as const);
      return {
        kind: "result",
        result: await store.propose(command, { timeoutMs: PROPOSE_SHARE * patienceMs }),
      };
    } catch (error) {
      if (error instanceof StoreError) return { kind: "error", error };
      throw error;
    }
  }

  #take(task: Task, replica: Replica, answer: Exclude<Answer, { kind: "error" }>): void {
    const { client, request, operation, versionFloor } = task;
    if (operation.answeredAt < Infinity) return;
    operation.answeredAt = this.#clock.now;
    this.#answeredLast = replica.id;
    this.#clock.note(`${operation.kind} ${request.id}`);
    this.#answered[client] = operation.calledAt;
    this.#think(client);
    if (answer.kind === "seen") {
      operation.seen = answer.seen;
      this.#states.checkRead(replica.id, answer.version, versionFloor);
      return;
    }
    const { result } = answer;
    if (result.kind === "job") {
      request.job = result.job;
      this.#states.acknowledge(request.id, result.job);
    } else if (result.kind === "refused" && result.code === "not-found") {
      this.#verdict.fail("what was acknowledged is durable", `${request.id}: ${result.reason}`);
    }
  }
}

/** An operation under way. */
interface Task {
  readonly client: number;
  readonly request: Request;
  readonly operation: Operation;
  /** The newest version that any replica had applied when it began. */
  readonly versionFloor: number;
}

const SPEC = testSpec({ name: "job" });
const NO_JOB = 0 as JobId;

function seenOf(state: string | undefined): Seen {
  if (state === undefined) return "absent";
  return state === "cancelled" ? "cancelled" : "queued";
}
