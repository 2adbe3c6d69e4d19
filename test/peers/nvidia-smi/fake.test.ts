import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readInventory } from "../../../daemon/hardware/inventory.ts";
import { readGpus, readTopology } from "../../../daemon/hardware/nvidia-smi.ts";
import { runCommand } from "../../../daemon/hardware/run-command.ts";
import { writeFakeNvidiaSmi } from "../fake-nvidia-smi.ts";
import { samplePath } from "./samples.ts";

const h100 = samplePath("xml/nvidia-k8stest-hw-qx-h100.xml");
const mig = samplePath("xml/telegraf-a100-sxm4-v12.xml");
const lost = samplePath("xml/nvidia-k8stest-mock-qx-gb200-lost.xml");
const topo = samplePath("topo/hgx-h20-8gpu-8nic.txt");

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "gpumesh fake 'smi'-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("writeFakeNvidiaSmi", () => {
  it("gives readGpus eight GPUs and readTopology their links", async () => {
    await writeFakeNvidiaSmi(dir, { xml: h100, topo });
    const reading = await readGpus(onPath());
    expect(reading).toMatchObject({ kind: "gpus", report: { driver: "580.105.08", problems: [] } });
    expect(reading.kind === "gpus" && reading.report.gpus.length).toBe(8);
    const topology = await readTopology(onPath());
    expect(topology.kind === "topology" && topology.matrix.devices.length).toBe(16);
  });

  it("gives MIG devices their uuids through the list", async () => {
    const list = join(dir, "list.txt");
    const devices = [0, 1, 2, 3].map((i) => `  MIG 1g.20gb     Device  ${i}: (UUID: MIG-0000000${i}-feed)`);
    const gpu = "GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-513536b6-7d19-9063-b049-1e69664bb298)";
    await writeFile(list, [gpu, ...devices, ""].join("\n"));
    await writeFakeNvidiaSmi(dir, { xml: mig, list });
    const reading = await readGpus(onPath());
    const uuids = reading.kind === "gpus" ? reading.report.gpus[0]?.mig.devices.map(({ uuid }) => uuid) : [];
    expect(uuids).toEqual([
      "MIG-00000000-feed",
      "MIG-00000001-feed",
      "MIG-00000002-feed",
      "MIG-00000003-feed",
    ]);
  });

  it("can be replaced while in use, so that a GPU fails", async () => {
    await writeFakeNvidiaSmi(dir, { xml: samplePath("xml/nvidia-k8stest-mock-qx-gb200-healthy.xml") });
    expect(await healthy()).toEqual([true, true]);
    await writeFakeNvidiaSmi(dir, { xml: lost });
    expect(await healthy()).toEqual([false, false]);
  });

  it("ends with the exit code", async () => {
    await writeFakeNvidiaSmi(dir, { xml: samplePath("errors/no-devices.exit6.txt"), exitCode: 6 });
    expect(await readGpus(onPath())).toMatchObject({ kind: "none" });
  });

  it("refuses other options as the real command does", async () => {
    await writeFakeNvidiaSmi(dir, { xml: h100 });
    for (const args of [["-L"], ["topo", "-m"], []]) {
      expect(await runCommand("nvidia-smi", args, onPath())).toMatchObject({ kind: "exited", exitCode: 2 });
    }
  });

  it("does not write a fake without its files", async () => {
    await expect(writeFakeNvidiaSmi(dir, { xml: join(dir, "missing.xml") })).rejects.toThrow("ENOENT");
  });
});

function onPath() {
  return { timeoutMs: 10_000, env: { ...process.env, PATH: `${dir}:${process.env["PATH"] ?? ""}` } };
}

async function healthy(): Promise<readonly boolean[]> {
  const { inventory } = await readInventory(onPath());
  return inventory.gpus.map((gpu) => gpu.healthy);
}
