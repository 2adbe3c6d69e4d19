import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { endLeftBehind, processesWith } from "./left-behind.ts";

describe("endLeftBehind", () => {
  it("ends a process that left its session, and names it", async () => {
    const mark = randomUUID();
    const child = spawn("sleep", ["600"], {
      detached: true,
      stdio: "ignore",
      env: { PATH: "/usr/bin:/bin", MARK: mark },
    });
    await once(child, "spawn");
    const exited = once(child, "exit");
    expect(processesWith(`MARK=${mark}`)).toEqual([{ pid: child.pid, command: "sleep 600" }]);
    expect(await endLeftBehind(`MARK=${mark}`)).toEqual([{ pid: child.pid, command: "sleep 600" }]);
    expect(await exited).toEqual([null, "SIGKILL"]);
    expect(processesWith(`MARK=${mark}`)).toEqual([]);
  });

  it("has nothing to say about a process that ends by itself", async () => {
    const mark = randomUUID();
    const child = spawn("sleep", ["0.3"], { stdio: "ignore", env: { PATH: "/usr/bin:/bin", MARK: mark } });
    const exited = once(child, "exit");
    expect(await endLeftBehind(`MARK=${mark}`)).toEqual([]);
    await exited;
  });
});
