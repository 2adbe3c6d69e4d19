import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../executor/process-executor-harness.ts";
import { attemptOf, cleanUp, commandsOf, jobSpec, temporaryFolder } from "../agent.fixture.ts";
import { connected } from "../daemon.fixture.ts";
import { linesTo, ScriptedLeader } from "../scripted-leader.fixture.ts";
import { JOB, TOKEN } from "../agent.fixture.ts";
import { RemoteCommand } from "./remote-command.ts";
import { LINE_BYTES_MAX } from "./protocol.ts";
import { Caller, newId, ShellNode } from "./shell.fixture.ts";
import { serveShell } from "./shell-service.ts";

afterAll(cleanUp);

let head: ShellNode;
let other: ShellNode;

/** The two nodes of a gang that has started. */
beforeAll(async () => {
  const attempt = await attemptOf({ nodes: ["n1", "n2"] });
  [head, other] = await Promise.all([ShellNode.start("n1", attempt), ShellNode.start("n2", attempt)]);
  head.knows(other);
});

/** A line that prints `first`, waits for a file, prints `second` and exits with 7. */
function inTwoSteps(folder: string): { readonly line: string; readonly goOn: () => Promise<void> } {
  const gate = join(folder, "gate");
  const line = `printf first; until [ -e ${gate} ]; do sleep 0.02; done; printf second; exit 7`;
  return { line, goOn: () => writeFile(gate, "") };
}

describe("the remote shell", () => {
  it("copies output and exit code exactly, from its own node and from another", async () => {
    const bytes = randomBytes(200_000);
    const file = join(temporaryFolder(), "bytes");
    await writeFile(file, bytes);
    const line = `cat ${file}; printf '%s' "$GPUMESH_NODE $GPUMESH_NODE_INDEX" >&2; exit 7`;
    const callers = [head.caller("host-n1", line), head.caller("n2", line)];
    const exits = await Promise.all(callers.map((caller) => caller.exit()));
    expect(exits.map(({ code }) => code)).toEqual([7, 7]);
    expect(callers.map(({ stdout }) => stdout.equals(bytes))).toEqual([true, true]);
    expect(callers.map(({ stderr }) => stderr.toString())).toEqual(["n1 0", "n2 1"]);
  });

  it.each(["host-n1", "n2"])("finds the command on %s again for a caller that comes back", async (host) => {
    const { line, goOn } = inTwoSteps(temporaryFolder());
    const id = newId();
    const first = head.caller(host, line, { id });
    await first.printed("first");
    first.hangUp();
    const second = head.caller(host, line, { id, stdoutOffset: 5 });
    await goOn();
    expect((await second.exit()).code).toBe(7);
    expect(second.stdout.toString()).toBe("second");
    const late = head.caller(host, line, { id, stdoutOffset: 0 });
    expect((await late.exit()).code).toBe(7);
    expect(late.stdout.toString()).toBe("firstsecond");
  });

  it("goes on when the other node's daemon restarts", async () => {
    const { line, goOn } = inTwoSteps(temporaryFolder());
    const caller = head.caller("n2", line);
    await caller.printed("first");
    await other.stopDaemon();
    await goOn();
    await other.startDaemon();
    head.knows(other);
    expect((await caller.exit()).code).toBe(7);
    expect(caller.stdout.toString()).toBe("firstsecond");
  });

  it("goes on when its own node's daemon restarts", async () => {
    const { line, goOn } = inTwoSteps(temporaryFolder());
    const id = newId();
    const first = head.caller("n2", line, { id });
    await first.printed("first");
    await head.stopDaemon();
    await head.startDaemon();
    const second = head.caller("n2", line, { id, stdoutOffset: 5 });
    await goOn();
    expect((await second.exit()).code).toBe(7);
    expect(second.stdout.toString()).toBe("second");
  });

  it.each(["host-n1", "n2"])("stops a command on %s for its caller, told before or after", async (host) => {
    const running = head.caller(host, "printf on; exec sleep 60");
    await running.printed("on");
    running.say('{"stop":true}\n');
    const hasty = head.caller(host, "exec sleep 60");
    hasty.say('{"stop":true}\n');
    expect((await running.exit()).code).toBe(143);
    // Not executed at all, or ended by TERM; by KILL where TERM came before the command was there to take it.
    expect([126, 143, 137]).toContain((await hasty.exit()).code);
  });

  it.each([
    ["a host that is no node of the attempt", { host: "n3" }, "its nodes are n1, n2"],
    ["a wrong token", { token: "a-token-of-another-attempt" }, "no attempt 7.1 with that token"],
    ["an attempt that is not here", { attempt: 2 }, "no attempt 7.2 with that token"],
    ["a request that is none", { id: "../../tmp/x" }, "does not understand"],
  ])("refuses %s", async (_what, request, reason) => {
    const exit = await head.caller("n2", "true", request).exit();
    expect(exit.code).toBe(255);
    expect(exit.reason).toContain(reason);
  });

  it("hangs up on hostile lines", async () => {
    const noise = new Caller(head.socketPath, "\u0000{}{\n");
    expect((await noise.exit()).reason).toContain("does not understand");
    const long = new Caller(head.socketPath, "x".repeat(LINE_BYTES_MAX + 70_000));
    expect((await long.exit()).reason).toContain(`longer than ${LINE_BYTES_MAX} bytes`);
    const fine = head.caller("host-n1", "exit 3");
    fine.say('{"stop":"maybe"}\n{"job":1}\n');
    expect((await fine.exit()).code).toBe(3);
  });

  it("lets nobody stop a command of whose attempt he does not know the token", async () => {
    const { line, goOn } = inTwoSteps(temporaryFolder());
    const id = newId();
    const caller = head.caller("n2", line, { id });
    await caller.printed("first");
    const call = linesTo({ name: "n2", number: 1, address: other.address, raftRole: "client" }).peers;
    const hostile = call.line("n2")?.peer.shell();
    const refused = new Promise((resolve) => hostile?.on("error", resolve));
    const open = { jobId: JOB, attempt: 1, token: "wrong", id, commandLine: "true" };
    hostile?.write({ open });
    hostile?.write({ stop: {} });
    expect(await refused).toMatchObject({ details: expect.stringContaining("with that token") });
    await goOn();
    expect((await caller.exit()).code).toBe(7);
  });

  it("waits for a node that has not been told to start yet", async () => {
    const program = { runsForMs: 0, code: 5, onTerm: "end" } as const;
    const { machine, agent, line } = await connected(() => program);
    const attempt = await attemptOf();
    line.prepare(attempt, jobSpec(1));
    await line.reported("prepared");
    const server = await ScriptedLeader.start("n1", (call) => serveShell(agent, call));
    const { peers } = linesTo(server.member(1));
    const target = { job: JOB, attempt: 1, token: TOKEN, id: newId(), host: "n1", commandLine: "true" };
    const request = { ...target, stdoutOffset: 0, stderrOffset: 0 };
    const command = new RemoteCommand(peers, "n1", request, async () => {}, new AbortController().signal);
    const exiting = command.run();
    await until(() => server.shellCalls >= 1);
    expect(await commandsOf(machine.executor, "7.1")).toEqual([]);
    line.start(attempt);
    expect((await exiting).code).toBe(5);
  });

  it("runs the command in the folder of the attempt on that node", async () => {
    const marker = randomBytes(8).toString("hex");
    const caller = head.caller("n2", `echo ${marker} >"$GPUMESH_ATTEMPT_DIR/seen"; pwd`);
    expect((await caller.exit()).code).toBe(0);
    const dir = caller.stdout.toString().trim();
    expect(await readFile(join(dir, "seen"), "utf8")).toBe(`${marker}\n`);
  });
});
