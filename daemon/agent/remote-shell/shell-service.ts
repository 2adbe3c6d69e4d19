import * as grpc from "@grpc/grpc-js";
import { jobId } from "../../../scheduler/model/ids.ts";
import type { ShellInput__Output } from "../../../proto/gen/gpumesh/v1/ShellInput.ts";
import type { ShellOpen__Output } from "../../../proto/gen/gpumesh/v1/ShellOpen.ts";
import type { ShellOutput } from "../../../proto/gen/gpumesh/v1/ShellOutput.ts";
import type { Agent } from "../agent.ts";
import type { Part } from "../part.ts";
import type { ShellSink } from "./run-shell.ts";
import { runShell, shellCommandName, stopShell, writeAtPace } from "./run-shell.ts";

type ShellCall = grpc.ServerDuplexStream<ShellInput__Output, ShellOutput>;

/** The remote half of gpumesh-rsh: another daemon of the mesh asks for a command in this node's part of a job. */
export function serveShell(agent: Agent, call: ShellCall): void {
  const abandoned = new AbortController();
  call.on("cancelled", () => abandoned.abort());
  call.on("error", () => abandoned.abort());
  let opened: ShellOpen__Output | null = null;
  call.on("data", (input: ShellInput__Output) => {
    if (input.open && opened === null) {
      opened = input.open;
      open(agent, call, input.open, abandoned.signal);
    } else if (input.stop && opened !== null) {
      const part = permittedPart(agent, opened);
      // It may have ended by itself meanwhile; the exit that is on its way says so.
      if (part !== undefined) stopShell(part, shellCommandName(opened.id)).catch(() => undefined);
    }
  });
  call.on("end", () => undefined);
}

/** Undefined when this node has no such attempt, or the caller does not know its token. */
function permittedPart(agent: Agent, { jobId: job, attempt, token }: ShellOpen__Output): Part | undefined {
  const part = agent.part(jobId(job), attempt);
  return part?.tokenIs(token) === true ? part : undefined;
}

function open(agent: Agent, call: ShellCall, request: ShellOpen__Output, signal: AbortSignal): void {
  const refuse = (code: grpc.status, details: string): void => {
    call.emit("error", { code, details });
  };
  const name = `${request.jobId}.${request.attempt}`;
  const part = permittedPart(agent, request);
  if (part === undefined) {
    const details = `no attempt ${name} with that token runs on this node`;
    return refuse(grpc.status.PERMISSION_DENIED, details);
  }
  // All parts are ordered to start at once, and the head's mpirun may be the first.
  if (part.entry.kind === "assigned")
    return refuse(grpc.status.UNAVAILABLE, `attempt ${name} has not started on this node yet: call again`);
  const command = {
    name: shellCommandName(request.id),
    commandLine: request.commandLine,
    stdoutOffset: request.stdoutOffset,
    stderrOffset: request.stderrOffset,
  };
  const sink: ShellSink = (stream, data) => writeAtPace<ShellOutput>(call, { [stream]: data }, signal);
  runShell(part, command, sink, signal).then(
    (exit) => {
      call.write({ exit });
      call.end();
    },
    (error: unknown) => {
      if (!signal.aborted) refuse(grpc.status.FAILED_PRECONDITION, String(error));
    },
  );
}
