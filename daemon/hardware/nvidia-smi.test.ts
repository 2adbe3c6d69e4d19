import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleDocument, sampleUuid } from "./nvidia-smi-parser/sample-document.ts";
import { readGpus, readTopology } from "./nvidia-smi.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "gpumesh-nvidia-smi-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("readGpus", () => {
  it("finds none where the command is absent", async () => {
    const reading = await readGpus({ timeoutMs: 10_000, env: { PATH: dir } });
    expect(reading).toEqual({ kind: "none", reason: expect.stringContaining("not on PATH") });
  });

  it("finds none where the command finds none", async () => {
    await install("echo 'No devices were found'; exit 6");
    expect(await read()).toEqual({ kind: "none", reason: "nvidia-smi found no devices" });
    await install(printed(sampleDocument([])));
    expect(await read()).toEqual({ kind: "none", reason: "nvidia-smi found no devices" });
  });

  it("reads the GPUs", async () => {
    await install(printed(sampleDocument([{}])));
    expect(await read()).toMatchObject({
      kind: "gpus",
      report: { gpus: [{ uuid: sampleUuid(0) }], problems: [] },
    });
  });

  it("asks for the list only where there are MIG devices, and joins it", async () => {
    const mig_devices =
      "<mig_device><index>0</index><gpu_instance_id>3</gpu_instance_id>" +
      "<compute_instance_id>0</compute_instance_id></mig_device>";
    const listed = `GPU 0: A100 (UUID: ${sampleUuid(0)})\n  MIG 3g.20gb  Device  0: (UUID: MIG-00000000-01)`;
    const answer = (list: string) =>
      install(
        `if [ "$*" = -L ]; then\n${list}\nelse\n${printed(sampleDocument([{ elements: { mig_devices } }]))}\nfi`,
      );
    const mig = (uuid: string | null) => ({
      kind: "gpus",
      report: { gpus: [{ mig: { devices: [{ uuid }] } }] },
    });

    await answer(printed(listed));
    expect(await read()).toMatchObject(mig("MIG-00000000-01"));
    await answer("exit 255");
    const unlisted = await read();
    expect(unlisted).toMatchObject(mig(null));
    expect(unlisted).toMatchObject({ report: { problems: [expect.stringContaining("it has no uuid")] } });
  });

  it.each([14, 15, 16])("uses a complete document under exit code %i and says so", async (exitCode) => {
    await install(`${printed(sampleDocument([{}]))}\nexit ${exitCode}`);
    expect(await read()).toMatchObject({
      kind: "gpus",
      report: {
        gpus: [{ uuid: sampleUuid(0) }],
        problems: [expect.stringContaining(`nvidia-smi exited ${exitCode}, `)],
      },
    });
  });

  it.each([
    [4, "Insufficient Permissions", "root"],
    [9, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "modprobe nvidia"],
    [15, "Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.", "reboot the node"],
    [18, "Failed to initialize NVML: Driver/library version mismatch", "reboot the node"],
    [255, "Failed to initialize NVML: Unknown Error", "create the container again"],
    [99, "?", "run nvidia-smi by hand"],
  ])("explains exit code %i with what it wrote and a next step", async (exitCode, text, step) => {
    await install(`echo "${text}" >&2; exit ${exitCode}`);
    const reading = await read();
    expect(reading).toEqual({
      kind: "failed",
      exitCode,
      reason: expect.stringContaining(text),
      nextStep: expect.stringContaining(step),
    });
  });

  it("fails on an output that is no document", async () => {
    await install("echo hello");
    expect(await read()).toMatchObject({
      kind: "failed",
      exitCode: 0,
      reason: expect.stringContaining('"hello"'),
    });
  });

  it("gives up on a command that hangs", async () => {
    await install("sleep 60");
    const reading = await readGpus({ timeoutMs: 300, env: environment() });
    expect(reading).toMatchObject({
      kind: "failed",
      exitCode: null,
      reason: expect.stringContaining("300 ms"),
    });
  });
});

describe("readTopology", () => {
  it("reads the matrix, and fails without one", async () => {
    await install('[ "$*" = "topo -m" ] && printf "\\tGPU0\\tGPU1\\nGPU0\\t X \\tNV4\\nGPU1\\tNV4\\t X \\n"');
    expect(await readTopology({ timeoutMs: 10_000, env: environment() })).toMatchObject({
      kind: "topology",
      matrix: { devices: [{ name: "GPU0" }, { name: "GPU1" }], problems: [] },
    });
    await install("echo nothing");
    expect(await readTopology({ timeoutMs: 10_000, env: environment() })).toMatchObject({ kind: "failed" });
  });
});

async function install(script: string): Promise<void> {
  const path = join(dir, "nvidia-smi");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

function printed(text: string): string {
  return `cat <<'END'\n${text}\nEND`;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${dir}:${process.env["PATH"] ?? ""}` };
}

function read() {
  return readGpus({ timeoutMs: 10_000, env: environment() });
}
