import type { Mesh } from "../../cli/client/client.ts";

/** Follows the logs of a job from the start and keeps what came, by attempt, command and stream. */
export class LogFollower {
  readonly #texts = new Map<string, string>();
  readonly #stop = new AbortController();
  /** Resolves when the logs have ended; rejects when a piece was lost, or did not begin where the last one ended. */
  readonly ended: Promise<void>;

  constructor(client: Mesh, job: number) {
    this.ended = this.#follow(client, job);
    // It is looked at in the end; until then a rejection is not unhandled.
    this.ended.catch(() => undefined);
  }

  text(attempt: number, command: string, stream: "stdout" | "stderr" = "stdout"): string {
    return this.#texts.get(`${attempt} ${command} ${stream}`) ?? "";
  }

  /** Hangs up. */
  stop(): void {
    this.#stop.abort(new Error("the test is over"));
  }

  async #follow(client: Mesh, job: number): Promise<void> {
    for await (const piece of client.logs(job, { follow: true, signal: this.#stop.signal })) {
      const log = `${piece.attempt} ${piece.command} ${piece.stream}`;
      if (piece.kind === "lost") throw new Error(`${log} was lost: ${piece.reason}`);
      const text = this.#texts.get(log) ?? "";
      if (piece.offset !== Buffer.byteLength(text))
        throw new Error(`${log} goes on at byte ${piece.offset} after ${Buffer.byteLength(text)}`);
      this.#texts.set(log, text + Buffer.from(piece.data).toString());
    }
  }
}
