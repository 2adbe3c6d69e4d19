import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestGroup } from "./driver.fixture.ts";
import { LevelLog } from "./level-log.ts";
import type { OpenLogOptions } from "./raft-log.ts";

const DISK_BYTES = 12 * 2 ** 20;

let disk: string;
/** Null when it is mounted. */
let whyNot: string | null;

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), "gpumesh-disk-"));
  whyNot = process.getuid?.() === 0 ? mount() : "only root can mount a small disk";
});

afterEach(async () => {
  if (whyNot === null) run("umount", "--lazy", disk);
  await rm(disk, { recursive: true });
});

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: "pipe" });
}

function mount(): string | null {
  try {
    run("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", disk);
    return null;
  } catch (error) {
    return `no tmpfs can be mounted here: ${String(error)}`;
  }
}

describe("a disk that is full", () => {
  it("ends the member with the folder and the remedy; it starts again with all that was acknowledged", async (context) => {
    if (whyNot !== null) context.skip(whyNot);
    const group = new TestGroup();
    const onDisk = {
      openLog: (_folder: string, options: OpenLogOptions) => LevelLog.open(join(disk, "log"), options),
    };
    const ballast = join(disk, "ballast");
    try {
      const { driver, fatal } = await group.start(1, [1], onDisk);
      await group.leader();
      await writeFile(ballast, Buffer.alloc(4 * 2 ** 20));
      const acknowledged: string[] = [];
      const fill = async (): Promise<void> => {
        for (let nth = 0; nth < 200; nth++) {
          const text = `${nth} `.padEnd(200_000, "x");
          await driver.propose(Buffer.from(text));
          acknowledged.push(text);
        }
      };
      await expect(fill()).rejects.toMatchObject({ name: "DriverError" });
      expect(acknowledged.length).toBeGreaterThan(0);
      expect(fatal).toHaveLength(1);
      expect(fatal[0]).toMatchObject({ code: "storage" });
      expect(fatal[0]?.message).toContain(join(disk, "log"));
      expect(fatal[0]?.message).toMatch(
        /no space left.*Free or repair the disk, then start the daemon again/is,
      );
      await group.stop(1);
      await rm(ballast);
      const again = await group.start(1, null, onDisk);
      await group.leader();
      const texts = again.applied.map((line) => line.slice(line.indexOf(":") + 1));
      expect(texts.slice(0, acknowledged.length)).toEqual(acknowledged);
      await again.driver.propose(Buffer.from("there is room again"));
      expect(again.fatal).toEqual([]);
    } finally {
      await group.close();
    }
  });

  it("does not let a member start; the message names the folder and the remedy", async (context) => {
    if (whyNot !== null) context.skip(whyNot);
    await writeFile(join(disk, "ballast"), Buffer.alloc(DISK_BYTES)).catch(() => {});
    const opened = LevelLog.open(join(disk, "log"), { onFatal: () => {} });
    await expect(opened).rejects.toMatchObject({
      code: "storage",
      message: expect.stringMatching(
        /log could not be opened.*the disk has space, then start the daemon again/s,
      ),
    });
  });
});
