import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { daemonArguments, runDaemonProgram } from "./daemon-program.ts";

describe("the daemon's commands", () => {
  it("are passed on with their arguments as they are", () => {
    expect(daemonArguments(["init", "--advertise", "10.0.0.1", "--output", "x"])).toEqual([
      "init",
      "--advertise",
      "10.0.0.1",
      "--output",
      "x",
    ]);
    expect(daemonArguments(["join", "TOKEN", "--help"])).toEqual(["join", "TOKEN", "--help"]);
    expect(daemonArguments(["up", "--dev", "3"])).toEqual(["dev", "--dev", "3"]);
  });

  it.each([[[]], [["status"]], [["job", "init"]], [["toString"]]])("are not %j", (argv) => {
    expect(daemonArguments(argv)).toBeNull();
  });
});

describe("the daemon's program", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gpumesh-program-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("gets the arguments, and gives its exit code", async () => {
    const script = join(folder, "program.mjs");
    const seen = join(folder, "seen.json");
    const source = `import { writeFileSync } from "node:fs";
      writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.argv.slice(2)));
      process.exit(7);`;
    writeFileSync(script, source);
    expect(await runDaemonProgram(["dev", "--dev", "3"], script)).toBe(7);
    expect(JSON.parse(readFileSync(seen, "utf8"))).toEqual(["dev", "--dev", "3"]);
  });

  it("that is killed by a signal gives 128 and its number", async () => {
    const script = join(folder, "killed.mjs");
    writeFileSync(script, `process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);`);
    expect(await runDaemonProgram([], script)).toBe(137);
  });
});
