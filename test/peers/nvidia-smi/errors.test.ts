import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GpuReading, readGpus } from "../../../daemon/hardware/nvidia-smi.ts";
import { parseNvidiaSmiList } from "../../../daemon/hardware/nvidia-smi-parser/list.ts";
import { parseNvidiaSmiXml } from "../../../daemon/hardware/nvidia-smi-parser/parse-xml.ts";
import { parseTopologyMatrix } from "../../../daemon/hardware/nvidia-smi-parser/topology.ts";
import { writeFakeNvidiaSmi } from "../fake-nvidia-smi.ts";
import { readSample, samplePath, samplesIn } from "./samples.ts";

let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "gpumesh-nvidia-smi-errors-"));
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Exit code and kind of reading of each failure, and words of its next step. */
const failures: readonly (readonly [string, number, GpuReading["kind"], string])[] = [
  ["errors/no-devices.exit6.txt", 6, "none", ""],
  ["errors/driver-not-loaded.exit9.txt", 9, "failed", "modprobe nvidia"],
  ["errors/nvml-version-mismatch.exit18.txt", 18, "failed", "reboot the node"],
  ["errors/nvml-unknown-error-container.txt", 255, "failed", "create the container again"],
  ["errors/device-handle-unknown-error.txt", 15, "failed", "reboot the node"],
  ["errors/mig-insufficient-permissions.txt", 4, "failed", "root"],
];

describe("readGpus", () => {
  it.each(failures)("makes %s with exit code %i a reading of kind %s", async (file, exitCode, kind, step) => {
    await writeFakeNvidiaSmi(dir, { xml: samplePath(file), exitCode });
    const reading = await readGpus({
      timeoutMs: 10_000,
      env: { ...process.env, PATH: `${dir}:${process.env["PATH"] ?? ""}` },
    });
    expect(reading.kind).toBe(kind);
    if (reading.kind !== "failed") return;
    const firstLine = readSample(file).trim().split("\n")[0] ?? "";
    expect(reading).toMatchObject({ exitCode, nextStep: expect.stringContaining(step) });
    expect(reading.reason).toContain(firstLine);
  });

  it("covers every exit code that a file name gives", () => {
    for (const { file } of samplesIn("errors")) {
      const named = /\.exit(\d+)\./.exec(file)?.[1];
      if (named !== undefined)
        expect(failures).toContainEqual([file, Number(named), expect.any(String), expect.any(String)]);
    }
  });
});

describe.each(samplesIn("errors"))("$file", ({ file }) => {
  it("is a problem to each parser and a GPU to none", () => {
    const text = readSample(file);
    expect(parseNvidiaSmiXml(text)).toMatchObject({ gpus: [], problems: [expect.any(String)] });
    expect(parseTopologyMatrix(text)).toMatchObject({ devices: [], problems: [expect.any(String)] });
    const list = parseNvidiaSmiList(text);
    expect(list.gpus).toEqual([]);
    expect(list.problems.length).toBeGreaterThan(0);
  });
});
