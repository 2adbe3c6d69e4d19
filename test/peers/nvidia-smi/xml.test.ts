import { describe, expect, it } from "vitest";
import { parseNvidiaSmiXml } from "../../../daemon/hardware/nvidia-smi-parser/parse-xml.ts";
import { readSample, samplesIn } from "./samples.ts";

const documents = samplesIn("xml").filter(({ file }) => file.endsWith(".xml"));

/** Samples that their authors cut down: they describe fewer GPUs than they say are attached. */
const cutDown: Readonly<Record<string, string>> = {
  "xml/pai-nvidia_smi_sample.xml": "6 GPUs are attached but 2 are described",
  "xml/telegraf-a100-sxm4-v12.xml": "4 GPUs are attached but 1 are described",
};

/** All other GPUs of all samples are fit for jobs. */
const unfit: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  "xml/nvidia-k8stest-mock-qx-gb200-lost.xml": { 0: "could not be remapped", 1: "the GPU is lost" },
  "xml/nvidia-k8stest-mock-qx-gb200-fabric-degraded.xml": { 1: "NVLink fabric is unhealthy" },
};

describe.each(documents)("$file", ({ file, driver, gpus: indexed }) => {
  const text = readSample(file);
  const report = parseNvidiaSmiXml(text);

  it("holds the GPUs that the index names", () => {
    expect(report.driver).toBe(driver);
    expect(report.gpus).toHaveLength(indexed?.count ?? Number.NaN);
    for (const gpu of report.gpus) expect(gpu.name).toBe(indexed?.name);
    const expected = cutDown[file];
    expect(report.problems).toEqual(expected === undefined ? [] : [expect.stringContaining(expected)]);
  });

  it("holds the uuids of the raw text", () => {
    const raw = [...text.matchAll(/GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi)].map(([uuid]) => uuid);
    expect(report.gpus.map(({ uuid }) => uuid).toSorted()).toEqual([...new Set(raw)].toSorted());
  });

  it("ranks by PCI bus id", () => {
    const raw = [...text.matchAll(/<gpu id="([^"]+)">/g)].map(([, id = ""]) => id.padStart(16, "0"));
    expect(report.gpus.map(({ pciBusId }) => pciBusId)).toEqual(raw.toSorted());
    expect(report.gpus.map(({ index }) => index)).toEqual(raw.map((_, i) => i));
  });

  it("has the memory of the raw text", () => {
    // One section of the text a GPU, in document order, which is bus order in all samples.
    const sections = text.split("<gpu id=").slice(1);
    const totals = sections.map((section) => {
      const ofGpu = section.replace(/<mig_device>[\s\S]*<\/mig_device>/, "");
      const total = /<fb_memory_usage>\s*<total>(\d+) Mi?B</.exec(ofGpu)?.[1];
      return total === undefined ? null : Number(total);
    });
    expect(report.gpus.map(({ memoryMiB }) => memoryMiB)).toEqual(totals);
  });

  it("has the MIG devices of the raw text", () => {
    const devices = report.gpus.flatMap(({ mig }) => mig.devices);
    expect(devices).toHaveLength(text.split("<mig_device>").length - 1);
    for (const gpu of report.gpus) {
      expect(gpu.mig.mode === "enabled").toBe(gpu.mig.devices.length > 0);
      for (const { memoryMiB } of gpu.mig.devices) expect(memoryMiB).toBeGreaterThan(0);
    }
  });

  it("has the processes of the raw text", () => {
    const raw = [...text.matchAll(/<pid>(\d+)<\/pid>/g)].map(([, pid]) => Number(pid));
    expect(report.gpus.flatMap(({ processes }) => processes.map(({ pid }) => pid))).toEqual(raw);
  });

  it("offers the GPUs that are fit for jobs, and says why the others are not", () => {
    for (const { index, health } of report.gpus) {
      const reason = unfit[file]?.[index];
      expect(health.verdict === "unhealthy", health.reasons.join("; ")).toBe(reason !== undefined);
      if (reason !== undefined) expect(health.reasons.join("; ")).toContain(reason);
    }
  });
});

describe("the samples of nvidia-smi -q -x", () => {
  it("are 21 documents", () => {
    expect(documents).toHaveLength(21);
  });

  it("hold the four MIG instances of an A100 by instance id", () => {
    const [gpu] = parseNvidiaSmiXml(readSample("xml/telegraf-a100-sxm4-v12.xml")).gpus;
    expect(gpu?.minorNumber).toBe(1);
    expect(gpu?.index).toBe(0);
    expect(gpu?.mig.devices).toEqual(
      [3, 4, 5, 6].map((gpuInstanceId, index) => ({
        gpuInstanceId,
        computeInstanceId: 0,
        index,
        memoryMiB: 19968,
        uuid: null,
      })),
    );
  });

  it("give an 8-GPU reading that is typed in every value", () => {
    const { gpus } = parseNvidiaSmiXml(readSample("xml/nvidia-k8stest-hw-qx-h100.xml"));
    for (const gpu of gpus) {
      expect(gpu).toMatchObject({
        memoryMiB: 81559,
        minorNumber: gpu.index,
        recoveryAction: "None",
        ecc: { enabled: true, volatileUncorrectable: 0, sramThresholdExceeded: false },
        remappedRows: { correctable: 0, uncorrectable: 0, pending: false, failure: false },
        fabric: { state: "Completed", status: "Success" },
        health: { verdict: "healthy", reasons: [] },
      });
      expect(gpu.power.drawW).toBeGreaterThan(0);
      expect(gpu.temperature.gpuC).toBeGreaterThan(0);
    }
  });

  it("do not make a GPU of the plain text of -q", () => {
    const report = parseNvidiaSmiXml(readSample("xml/sonar-nvidia-smi-output.txt"));
    expect(report.gpus).toEqual([]);
    expect(report.problems.join()).toContain("NVSMI LOG");
  });
});
