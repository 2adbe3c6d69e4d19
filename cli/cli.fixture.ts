import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import type { ApiHandlers } from "../proto/gen/gpumesh/v1/Api.ts";
import {
  makeTestMesh,
  serve,
  writeContext,
  type TestMesh,
  type TestServer,
} from "./client/test-mesh.fixture.ts";
import { runCli } from "./program.ts";

/** A run of `gpumesh` in this process, with what it wrote so far. */
export interface CliRun {
  readonly exitCode: Promise<number>;
  readonly stdout: () => string;
  readonly stdoutBytes: () => Buffer;
  readonly stderr: () => string;
  /** What Ctrl-C does; nothing before the command listens for it. */
  readonly interrupt: () => void;
}

/** A run that has ended. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A context folder and a daemon that answers as a test scripts it. */
export class TestBench {
  folder = "";
  #mesh: TestMesh | null = null;
  #server: TestServer | null = null;

  async begin(): Promise<void> {
    this.#mesh ??= await makeTestMesh();
    this.folder = mkdtempSync(join(tmpdir(), "gpumesh-cli-"));
  }

  async end(): Promise<void> {
    await this.stopServer();
    rmSync(this.folder, { recursive: true });
  }

  /** Starts the daemon, and writes the context for it; gives its address. */
  async serve(handlers: Partial<ApiHandlers>): Promise<string> {
    if (this.#mesh === null) throw new Error("begin first");
    this.#server = await serve(this.#mesh, handlers);
    writeContext(this.folder, this.#mesh, [this.#server.address]);
    return this.#server.address;
  }

  async stopServer(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  start(argv: readonly string[], stdin = ""): CliRun {
    const written = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    const collector = (name: "stdout" | "stderr"): Writable =>
      new Writable({
        write(chunk: Buffer, _, done) {
          written[name].push(chunk);
          done();
        },
      });
    let interrupt = (): void => undefined;
    const exitCode = runCli(
      {
        stdin: Readable.from([Buffer.from(stdin)]),
        stdout: collector("stdout"),
        stderr: collector("stderr"),
        environment: { GPUMESH_CONTEXT: this.folder },
        onInterrupt(handler) {
          interrupt = handler;
          return () => (interrupt = () => undefined);
        },
      },
      argv,
    );
    return {
      exitCode,
      stdout: () => Buffer.concat(written.stdout).toString(),
      stdoutBytes: () => Buffer.concat(written.stdout),
      stderr: () => Buffer.concat(written.stderr).toString(),
      interrupt: () => interrupt(),
    };
  }

  async run(argv: readonly string[], stdin = ""): Promise<Ran> {
    const run = this.start(argv, stdin);
    const exitCode = await run.exitCode;
    return { exitCode, stdout: run.stdout(), stderr: run.stderr() };
  }
}
