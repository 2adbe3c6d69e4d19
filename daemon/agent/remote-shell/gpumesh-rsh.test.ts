import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../../executor/process-executor-harness.ts";
import { afterwards, attemptOf, cleanUp, JOB, temporaryFolder, TOKEN } from "../agent.fixture.ts";
import { ShellNode } from "./shell.fixture.ts";

afterAll(cleanUp);

const program = fileURLToPath(new URL("./gpumesh-rsh.ts", import.meta.url));

/** gpumesh-rsh as mpirun starts it. */
class Rsh {
  stdout = "";
  stderr = "";
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(environment: Readonly<Record<string, string>>, ...words: readonly string[]) {
    this.process = spawn(process.execPath, [program, ...words], {
      env: { PATH: "/usr/bin:/bin", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    afterwards(() => void this.process.kill("SIGKILL"));
    this.process.stdout?.on("data", (data: Buffer) => (this.stdout += data.toString()));
    this.process.stderr?.on("data", (data: Buffer) => (this.stderr += data.toString()));
    this.ended = new Promise((resolve) => this.process.on("close", resolve));
  }
}

let node: ShellNode;
let environment: Record<string, string>;

beforeAll(async () => {
  node = await ShellNode.start("n1", await attemptOf());
  environment = {
    GPUMESH_RSH_SOCKET: node.socketPath,
    GPUMESH_ATTEMPT_TOKEN: TOKEN,
    GPUMESH_JOB_ID: String(JOB),
    GPUMESH_ATTEMPT: "1",
  };
});

describe("gpumesh-rsh", () => {
  it("runs a command line as ssh would, through a restart of the daemon", async () => {
    const gate = join(temporaryFolder(), "gate");
    const line = `printf "a  b"; printf e >&2; until [ -e ${gate} ]; do sleep 0.02; done; printf c; exit 9`;
    const rsh = new Rsh(environment, "-x", "-q", "host-n1", ...line.split(" "));
    await until(() => rsh.stdout === "a  b" && rsh.stderr === "e");
    await node.stopDaemon();
    await node.startDaemon();
    await writeFile(gate, "");
    expect(await rsh.ended).toBe(9);
    expect(rsh.stdout).toBe("a  bc");
    expect(rsh.stderr).toBe("e");
  });

  it("ends the command when it is told to end, even while the daemon is away", async () => {
    const prompt = new Rsh(environment, "host-n1", "echo on; exec sleep 60");
    const patient = new Rsh(environment, "host-n1", "echo on; exec sleep 60");
    await until(() => prompt.stdout === "on\n" && patient.stdout === "on\n");
    prompt.process.kill("SIGTERM");
    expect(await prompt.ended).toBe(143);
    await node.stopDaemon();
    patient.process.kill("SIGTERM");
    await node.startDaemon();
    expect(await patient.ended).toBe(143);
  });

  it("says why with 255 when it can not", async () => {
    const { GPUMESH_ATTEMPT_TOKEN: _, ...outside } = environment;
    const cases = [
      new Rsh(environment, "n9", "true"),
      new Rsh(environment, "host-n1"),
      new Rsh(outside, "host-n1", "true"),
    ];
    expect(await Promise.all(cases.map(({ ended }) => ended))).toEqual([255, 255, 255]);
    expect(cases.map(({ stderr }) => stderr)).toEqual([
      "gpumesh-rsh: n9: n9 is not a node of this job attempt; its nodes are n1\n",
      "gpumesh-rsh: usage: gpumesh-rsh HOST COMMAND...\n",
      expect.stringContaining("it runs only inside a gpumesh job"),
    ]);
  });
});
