import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));

function gpumesh(
  words: readonly string[],
  stdin = "",
): { code: number | null; stdout: string; stderr: string } {
  const none = join(tmpdir(), "gpumesh-no-such-context");
  const env = { ...process.env, GPUMESH_CONTEXT: none };
  const ran = spawnSync(process.execPath, [main, ...words], { input: stdin, env, encoding: "utf8" });
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

describe("the gpumesh program", () => {
  it("validates a job file without a mesh, and prints it normalised", () => {
    const file = "{nodeCount: 2, customMpiSettings: {commandLine: ./train}, secrets: [{name: A, value: b}]}";
    const ran = gpumesh(["job", "validate", "-f", "-"], file);
    expect(ran).toMatchObject({
      code: 0,
      stderr: "this version can not run it yet: secrets: not supported yet\n",
    });
    expect(ran.stdout).toContain("customMpiSettings:\n  commandLine: ./train\n  processCount: 2\n");
    const again = gpumesh(["job", "validate", "--output", "json", "-f", "-"], ran.stdout);
    expect(JSON.parse(again.stdout)).toMatchObject({
      job: { nodeCount: 2, customMpiSettings: { commandLine: "./train", processCount: 2 } },
      notSupportedYet: [{ path: "secrets", reason: "not supported yet" }],
    });
  });

  it("names every fault of a job file, and exits with 2", () => {
    const ran = gpumesh(["job", "validate", "-f", "-"], "{nodeCount: 0, name: a b, custommpiSettings: {}}");
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toMatch(/^nodeCount: found 0; allowed: .*$/m);
    expect(ran.stderr).toMatch(/^name: found "a b"; allowed: .*$/m);
    expect(ran.stderr).toMatch(
      /^custommpiSettings: found an unknown property; allowed: did you mean customMpi/m,
    );
    expect(ran.stderr.trimEnd().split("\n")).toHaveLength(4);
  });

  it("says how to get a context where there is none", () => {
    const ran = gpumesh(["status"]);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toMatch(/gpumesh-no-such-context holds no context of a mesh; .*"gpumesh init"/);
  });

  it("loads nothing of gRPC for what needs no mesh", () => {
    const trace = `import { registerHooks } from "node:module";
      registerHooks({ load(url, context, next) {
        if (url.includes("/@grpc/")) process.stderr.write("loaded gRPC\\n");
        return next(url, context);
      } });`;
    const hook = `data:text/javascript,${encodeURIComponent(trace)}`;
    const run = (words: readonly string[]): string =>
      spawnSync(process.execPath, ["--import", hook, main, ...words], { input: "{}", encoding: "utf8" })
        .stderr;
    expect(run(["job", "validate", "-f", "-"])).not.toContain("loaded gRPC");
    expect(run(["--help"])).not.toContain("loaded gRPC");
    expect(run(["status", "--context", "no-such-folder"])).toContain("loaded gRPC");
  });
});
