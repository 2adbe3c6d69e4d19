import * as grpc from "@grpc/grpc-js";
import { jobId } from "../../../scheduler/model/ids.ts";
import type { ShellInput__Output } from "../../../proto/gen/gpumesh/v1/ShellInput.ts";
import type { ShellOpen__Output } from "../../../proto/gen/gpumesh/v1/ShellOpen.ts";
import type { ShellOutput } from "../../../proto/gen/gpumesh/v1/ShellOutput.ts";
import type { Agent } from "../agent.ts";
import { runShell, shellCommandName, stopShell } from "./run-shell.ts";

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
      const part = agent.part(jobId(opened.jobId), opened.attempt);
      // It may have ended by itself meanwhile; the exit that is on its way says so.
      if (part !== undefined) stopShell(part, shellCommandName(opened.id)).catch(() => undefined);
    }
  });
  call.on("end", () => undefined);
}

function open(agent: Agent, call: ShellCall, request: ShellOpen__Output, signal: AbortSignal): void {
  const part = agent.part(jobId(request.jobId), request.attempt);
  if (part === undefined || !part.tokenIs(request.token)) {
    call.emit("error", {
      code: grpc.status.PERMISSION_DENIED,
      details: `no attempt ${request.jobId}.${request.attempt} with that token runs on this node`,
    });
    return;
  }
  const command = {
    name: shellCommandName(request.id),
    commandLine: request.commandLine,
    stdoutOffset: request.stdoutOffset,
    stderrOffset: request.stderrOffset,
  };
  const sink = {
    stdout: (data: Buffer) => call.write({ stdout: data }),
    stderr: (data: Buffer) => call.write({ stderr: data }),
  };
  runShell(part, command, sink, signal).then(
    (exit) => {
      call.write({ exit });
      call.end();
    },
    (error: unknown) => {
      if (signal.aborted) return;
      call.emit("error", { code: grpc.status.FAILED_PRECONDITION, details: String(error) });
    },
  );
}
