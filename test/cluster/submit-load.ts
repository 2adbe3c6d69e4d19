import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { connectMesh, readContext, type Mesh } from "../../cli/client/client.ts";
import type { TestMesh } from "./test-mesh.ts";

/** The pool of the daemon that the load's jobs wait for. */
export const HELD_POOL = "held";
/** How many submits may be unanswered at one time; at this many the load waits. */
const outstandingMax = 1_000;
/** How many jobs are asked for at one time when all are counted. */
const readersAtOnce = 16;
const retryForMs = 60_000;

/** One submit. Its request id is also the job's name, so that the mesh itself says which requests made jobs. */
export interface Submit {
  readonly request: string;
  /** Of `performance.now()`. */
  readonly sentAt: number;
}

/** What became of all submits, counted over every job that the mesh holds. */
export interface Count {
  readonly acknowledged: number;
  /** Acknowledged, and their job is not there or is another one. */
  readonly lost: readonly string[];
  /** Requests that made more than one job, acknowledged or not. */
  readonly doubled: readonly string[];
}

/**
 * Submits jobs at a constant rate, whether earlier ones are answered or not, through each of the daemons in turn. The
 * jobs want slots that another job holds, so they wait, and are cancelled when they are acknowledged: no process runs
 * for them, and the queue stays short.
 */
export class SubmitLoad {
  readonly #mesh: TestMesh;
  readonly #clients: readonly Mesh[];
  readonly #onAcknowledged: (submit: Submit) => void;
  readonly #acknowledged = new Map<string, number>();
  readonly #outstanding = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  private constructor(
    mesh: TestMesh,
    clients: readonly Mesh[],
    options: { readonly perSecond: number; readonly onAcknowledged?: (submit: Submit) => void },
  ) {
    this.#mesh = mesh;
    this.#clients = clients;
    this.#onAcknowledged = options.onAcknowledged ?? (() => {});
    this.#running = this.#run(1_000 / options.perSecond);
    // Whether the load failed is for `stop` to say.
    this.#running.catch(() => {});
  }

  /** Starts the load once the slots of the pool `HELD_POOL` are held, which one daemon of two slots must have alone. */
  static async start(
    mesh: TestMesh,
    options: { readonly perSecond: number; readonly onAcknowledged?: (submit: Submit) => void },
  ): Promise<SubmitLoad> {
    const toolkit = { customToolkitSettings: { commandLine: "exec sleep 86400" } };
    const holder = await mesh.submit({ name: "holder", pool: HELD_POOL, slotsPerNode: 2, ...toolkit });
    await mesh.inState(holder, "running");
    const context = await readContext(mesh.contextDir);
    const { addresses } = context;
    const clients = await Promise.all(
      addresses.map((_, first) =>
        connectMesh({
          context: { ...context, addresses: [...addresses.slice(first), ...addresses.slice(0, first)] },
          retryForMs,
        }),
      ),
    );
    return new SubmitLoad(mesh, clients, options);
  }

  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** Sends no more, and waits for what was sent. Rejects when a submit failed for good. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#outstanding);
    for (const client of this.#clients) client.close();
  }

  /** Looks at every job of the mesh. To be called when the load has stopped. */
  async count(): Promise<Count> {
    const { client } = this.#mesh;
    const newest = (await client.jobs({ limit: 1 })).jobs[0]?.id ?? 0;
    const jobsOf = new Map<string, number[]>();
    let next = 1;
    const reader = async (): Promise<void> => {
      while (next <= newest) {
        const { id, name } = await client.job(next++);
        jobsOf.set(name, [...(jobsOf.get(name) ?? []), id]);
      }
    };
    await Promise.all(Array.from({ length: readersAtOnce }, reader));
    return {
      acknowledged: this.acknowledged,
      lost: [...this.#acknowledged]
        .filter(([name, id]) => !jobsOf.get(name)?.includes(id))
        .map(([name]) => name),
      doubled: [...jobsOf].filter(([, ids]) => ids.length > 1).map(([name]) => name),
    };
  }

  async #run(gapMs: number): Promise<void> {
    const begun = performance.now();
    for (let sent = 0; !this.#stopping.signal.aborted; sent++) {
      const waitMs = begun + sent * gapMs - performance.now();
      if (waitMs > 0) await delay(waitMs);
      while (this.#outstanding.size >= outstandingMax) await Promise.race(this.#outstanding);
      const client = this.#clients[sent % this.#clients.length];
      if (client === undefined) throw new Error("a load needs a daemon");
      const submit = this.#submit(client);
      this.#outstanding.add(submit);
      // One that failed stays, for `stop` to say.
      submit.then(
        () => this.#outstanding.delete(submit),
        () => {},
      );
    }
  }

  async #submit(client: Mesh): Promise<void> {
    const submit = { request: randomUUID(), sentAt: performance.now() };
    const job = {
      name: submit.request,
      pool: HELD_POOL,
      slotsPerNode: 1,
      customToolkitSettings: { commandLine: "true" },
    };
    const answer = await client.submit(JSON.stringify(job), { requestId: submit.request });
    if (answer.kind === "faults") throw new Error(`a job is refused: ${JSON.stringify(answer.faults)}`);
    this.#acknowledged.set(submit.request, answer.jobId);
    this.#onAcknowledged(submit);
    await client.cancel(answer.jobId);
  }
}
