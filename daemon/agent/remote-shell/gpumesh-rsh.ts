/**
 * What `mpirun` runs in place of ssh: `gpumesh-rsh [options] HOST COMMAND...`. It asks the daemon of its own node to run
 * the command on HOST, which must be a node of the same job attempt, copies its output and exits with its code.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { ShellRequest } from "./protocol.ts";
import { lineSplitter, parseAnswer } from "./protocol.ts";

const USAGE_EXIT_CODE = 255;
const RECONNECT_DELAY_MS = 200;

interface Invocation {
  readonly host: string;
  readonly commandLine: string;
}

/** ssh's contract: leading options are skipped; the words after the host are one command line for the remote shell. */
function parseArguments(words: readonly string[]): Invocation | null {
  const first = words.findIndex((word) => !word.startsWith("-"));
  const host = words[first];
  const commandLine = words.slice(first + 1).join(" ");
  return first < 0 || host === undefined || commandLine === "" ? null : { host, commandLine };
}

function fail(reason: string): never {
  process.stderr.write(`gpumesh-rsh: ${reason}\n`);
  process.exit(USAGE_EXIT_CODE);
}

const invocation = parseArguments(process.argv.slice(2));
if (invocation === null) fail("usage: gpumesh-rsh HOST COMMAND...");
const environment = process.env;
const socketPath = environment["GPUMESH_RSH_SOCKET"];
const token = environment["GPUMESH_ATTEMPT_TOKEN"];
const job = Number(environment["GPUMESH_JOB_ID"]);
const attempt = Number(environment["GPUMESH_ATTEMPT"]);
if (socketPath === undefined || token === undefined || !Number.isInteger(job) || !Number.isInteger(attempt))
  fail("it runs only inside a gpumesh job, where GPUMESH_RSH_SOCKET and the attempt's token are set");

const id = randomBytes(8).toString("hex");
let stdoutOffset = 0;
let stderrOffset = 0;
let stopping = false;
let current: Socket | null = null;

function dial(target: Invocation, path: string, secret: string): void {
  const socket = connect(path);
  current = socket;
  const split = lineSplitter((line) => {
    const answer = parseAnswer(line);
    if (answer === null) return;
    if ("stdout" in answer) {
      const data = Buffer.from(answer.stdout, "base64");
      stdoutOffset += data.length;
      pass(socket, process.stdout, data);
    } else if ("stderr" in answer) {
      const data = Buffer.from(answer.stderr, "base64");
      stderrOffset += data.length;
      pass(socket, process.stderr, data);
    } else {
      if (answer.reason !== "") process.stderr.write(`gpumesh-rsh: ${target.host}: ${answer.reason}\n`);
      process.exitCode = answer.exit;
      finished = true;
      socket.end();
    }
  });
  let finished = false;
  socket.on("data", split);
  socket.on("error", () => undefined);
  socket.on("close", () => {
    // The daemon restarts; the command runs on under its shim, and the same id finds it again.
    if (!finished) setTimeout(() => dial(target, path, secret), RECONNECT_DELAY_MS);
  });
  const request: ShellRequest = {
    job,
    attempt,
    token: secret,
    id,
    host: target.host,
    commandLine: target.commandLine,
    stdoutOffset,
    stderrOffset,
  };
  socket.write(`${JSON.stringify(request)}\n`);
  if (stopping) socket.write('{"stop":true}\n');
}

/** Reads on when the output has been taken: a slow reader slows the command, as a pipe would. */
function pass(from: Socket, to: NodeJS.WriteStream, data: Buffer): void {
  if (to.write(data)) return;
  from.pause();
  to.once("drain", () => from.resume());
}

for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
  process.on(signal, () => {
    stopping = true;
    current?.write('{"stop":true}\n');
  });
}
dial(invocation, socketPath, token);
