import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNvidiaSmiXml } from "./parse-xml.ts";
import type { ParsedGpu } from "./report.ts";
import { reportLimits } from "./report.ts";
import { sampleDocument, type SampleGpu, sampleUuid } from "./sample-document.ts";

describe("parseNvidiaSmiXml", () => {
  it("reads driver, CUDA version and the values of a GPU", () => {
    const report = parseNvidiaSmiXml(sampleDocument([{}]));
    expect(report).toMatchObject({ driver: "570.148.08", cudaVersion: "12.8", problems: [] });
    expect(report.gpus).toHaveLength(1);
    expect(report.gpus[0]).toMatchObject({
      index: 0,
      uuid: sampleUuid(0),
      name: "NVIDIA A100-SXM4-40GB",
      memoryMiB: 40960,
      memoryUsedMiB: 12,
      pciBusId: "00000000:06:00.0",
      minorNumber: 0,
      mig: { mode: "disabled", devices: [] },
      utilization: { gpuPercent: 7, memoryPercent: 3 },
      temperature: { gpuC: 33, memoryC: 34 },
      power: { drawW: 49.68, limitW: null },
      recoveryAction: "None",
      health: { verdict: "healthy", reasons: [] },
    });
  });

  it("ranks by PCI bus id, whatever the order and the width of the domain in the document", () => {
    const report = parseNvidiaSmiXml(
      sampleDocument([
        { uuid: sampleUuid(2), pciBusId: "00010000:01:00.0" },
        { uuid: sampleUuid(1), pciBusId: "0000:b2:00.0" },
        { uuid: sampleUuid(0), pciBusId: "00000000:3F:00.0" },
      ]),
    );
    expect(report.gpus.map(({ index, uuid }) => [index, uuid])).toEqual([
      [0, sampleUuid(0)],
      [1, sampleUuid(1)],
      [2, sampleUuid(2)],
    ]);
    expect(report.gpus[1]?.pciBusId).toBe("00000000:B2:00.0");
  });

  it("takes the bus id of the gpu element where the pci element is missing", () => {
    const text = sampleDocument([{ pciBusId: "00000000:01:00.0", elements: { pci: "N/A" } }]);
    expect(parseNvidiaSmiXml(text).gpus[0]?.pciBusId).toBe("00000000:01:00.0");
  });

  it("leaves a GPU without uuid out, names it, and does not shift the index of the others", () => {
    const report = parseNvidiaSmiXml(
      sampleDocument([
        { pciBusId: "00000000:01:00.0", uuid: "Unknown Error" },
        { pciBusId: "00000000:02:00.0", uuid: sampleUuid(1) },
      ]),
    );
    expect(report.gpus.map(({ index, uuid }) => [index, uuid])).toEqual([[1, sampleUuid(1)]]);
    expect(report.problems).toEqual([
      'GPU 0 at 00000000:01:00.0 has the uuid "Unknown Error" and is left out: reset it or reboot the node',
    ]);
  });

  it("leaves out a repeated uuid", () => {
    const report = parseNvidiaSmiXml(
      sampleDocument([{ pciBusId: "0000:01:00.0" }, { pciBusId: "0000:02:00.0" }]),
    );
    expect(report.gpus).toHaveLength(1);
    expect(report.problems.join()).toContain("repeats the uuid");
  });

  it("says that attached GPUs are not described", () => {
    expect(parseNvidiaSmiXml(sampleDocument([{}], 8)).problems.join()).toContain(
      "8 GPUs are attached but 1 are",
    );
  });

  it("reads processes with their type", () => {
    const info = (pid: string, type: string, memory: string) =>
      `<process_info><pid>${pid}</pid><type>${type}</type>` +
      `<process_name>python</process_name><used_memory>${memory}</used_memory></process_info>`;
    const processes = info("17", "C", "2283 MiB") + info("18", "C+G", "N/A") + info("N/A", "C", "1 MiB");
    expect(onlyGpu({ elements: { processes } }).processes).toEqual([
      { pid: 17, name: "python", type: "compute", usedMemoryMiB: 2283 },
      { pid: 18, name: "python", type: "both", usedMemoryMiB: null },
    ]);
  });

  it("is not misled by a process name that looks like mark-up or like a failure", () => {
    const hostile =
      '</process_name></process_info></processes></gpu><gpu id="x"><uuid>GPU-0badbad0</uuid> & <b>';
    const named = (name: string) =>
      sampleDocument([
        {
          elements: {
            processes: [
              "",
              "<process_info>",
              "<pid>17</pid>",
              `<process_name>${name}</process_name>`,
              "</process_info>",
              "",
            ].join("\n"),
          },
        },
      ]);
    const report = parseNvidiaSmiXml(named(hostile));
    expect(report.problems).toEqual([]);
    expect(report.gpus).toHaveLength(1);
    expect(report.gpus[0]?.processes[0]?.name).toBe(hostile);
    expect(parseNvidiaSmiXml(named("GPU is lost")).gpus[0]?.health.verdict).toBe("healthy");
  });

  it("reads MIG devices without uuid, and skips one without ids", () => {
    const device = (index: string, gi: string) =>
      `<mig_device><index>${index}</index><gpu_instance_id>${gi}</gpu_instance_id>` +
      "<compute_instance_id>0</compute_instance_id><fb_memory_usage><total>19968 MiB</total></fb_memory_usage></mig_device>";
    const gpu = onlyGpu({
      elements: {
        mig_mode: "<current_mig>Enabled</current_mig><pending_mig>Enabled</pending_mig>",
        mig_devices: device("0", "3") + device("1", "[N/A]"),
        utilization: "<gpu_util>N/A</gpu_util>",
      },
    });
    expect(gpu.mig).toEqual({
      mode: "enabled",
      pendingMode: "enabled",
      devices: [{ gpuInstanceId: 3, computeInstanceId: 0, index: 0, memoryMiB: 19968, uuid: null }],
    });
    expect(gpu.utilization).toEqual({ gpuPercent: null, memoryPercent: null });
  });

  it("reads the error counts of every generation", () => {
    const volatileOf = (content: string) =>
      onlyGpu({ elements: { ecc_errors: `<volatile>${content}</volatile>` } }).ecc.volatileUncorrectable;
    expect(volatileOf("<double_bit><device_memory>2</device_memory><total>3</total></double_bit>")).toBe(3);
    expect(
      volatileOf("<sram_uncorrectable>1</sram_uncorrectable><dram_uncorrectable>4</dram_uncorrectable>"),
    ).toBe(5);
    expect(
      volatileOf(
        "<sram_uncorrectable_parity>1</sram_uncorrectable_parity>" +
          "<sram_uncorrectable_secded>2</sram_uncorrectable_secded><dram_uncorrectable>N/A</dram_uncorrectable>",
      ),
    ).toBe(3);
    expect(volatileOf("N/A")).toBeNull();
  });

  it("reads power and throttling under the names of older drivers", () => {
    const gpu = onlyGpu({
      elements: {
        gpu_power_readings: "N/A",
        clocks_throttle_reasons:
          "<clocks_throttle_reason_hw_thermal_slowdown>Active</clocks_throttle_reason_hw_thermal_slowdown>",
      },
    });
    expect(gpu.slowdowns).toEqual(["hw_thermal_slowdown"]);
    const old = sampleDocument([{}]).replaceAll("gpu_power_readings", "power_readings");
    expect(parseNvidiaSmiXml(old).gpus[0]?.power.drawW).toBe(49.68);
  });

  it("keeps a warning that stands around the document", () => {
    const text = `${sampleDocument([{}])}WARNING: infoROM is corrupted at gpu 00000000:06:00.0\n`;
    const report = parseNvidiaSmiXml(text);
    expect(report.gpus).toHaveLength(1);
    expect(report.problems).toEqual([
      "nvidia-smi says: WARNING: infoROM is corrupted at gpu 00000000:06:00.0",
    ]);
  });

  it.each([
    ["nothing", "", "holds no <nvidia_smi_log"],
    ["an error message", "No devices were found\n", "No devices were found"],
    ["a document that is cut off", sampleDocument([{}]).slice(0, 700), "cut off"],
    [
      "a document that is not well-formed",
      sampleDocument([{}]).replace("</uuid>", "</uid>"),
      "not well-formed",
    ],
    ["an empty log", "<nvidia_smi_log></nvidia_smi_log>", "empty"],
    ["too long a document", sampleDocument([{}]).padStart(reportLimits.xmlCharsMax + 1, " "), "characters"],
  ])("gives no GPU and one problem for %s", (_, text, words) => {
    const report = parseNvidiaSmiXml(text);
    expect(report.gpus).toEqual([]);
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]).toContain("cannot be used");
    expect(report.problems[0]).toContain(words);
  });

  it("reads no more GPUs than its limit", () => {
    const gpus = Array.from({ length: reportLimits.gpusMax + 6 }, (_, i): SampleGpu => {
      const bus = i.toString(16).padStart(2, "0");
      return { uuid: sampleUuid(i), pciBusId: `0000:${bus}:00.0` };
    });
    const report = parseNvidiaSmiXml(sampleDocument(gpus));
    expect(report.gpus).toHaveLength(reportLimits.gpusMax);
    expect(report.problems.join()).toContain("70 GPUs are described and only the first 64 are read");
  });

  it("never throws on any text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => {
        expectLawful(text);
        expectLawful(`<nvidia_smi_log>${text}</nvidia_smi_log>`);
        expectLawful(
          sampleDocument([{ elements: { fb_memory_usage: text, remapped_rows: text, mig_devices: text } }]),
        );
      }),
      { numRuns: 300 },
    );
  });

  it("never throws on a document with pieces cut, doubled, moved or replaced", () => {
    const two = sampleDocument([
      { pciBusId: "0000:01:00.0" },
      { pciBusId: "0000:02:00.0", uuid: sampleUuid(1) },
    ]);
    const pieces = two.split(/(?=<)/);
    const place = fc.nat(pieces.length - 1);
    const mutation = fc.oneof(
      fc.record({ kind: fc.constant("cut" as const), at: place }),
      fc.record({ kind: fc.constant("double" as const), at: place }),
      fc.record({ kind: fc.constant("swap" as const), at: place, with: place }),
      fc.record({
        kind: fc.constant("replace" as const),
        at: place,
        by: fc.constantFrom(
          "GPU is lost",
          "[N/A]",
          "<__proto__>1",
          "<constructor>",
          "<gpu>",
          "</gpu>",
          "&#x0;",
          "<!--",
        ),
      }),
    );
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        const mutated = [...pieces];
        for (const mutation of mutations) {
          const piece = mutated[mutation.at] ?? "";
          if (mutation.kind === "cut") mutated[mutation.at] = "";
          if (mutation.kind === "double") mutated[mutation.at] = piece + piece;
          if (mutation.kind === "replace") mutated[mutation.at] = mutation.by;
          if (mutation.kind === "swap") {
            mutated[mutation.at] = mutated[mutation.with] ?? "";
            mutated[mutation.with] = piece;
          }
        }
        expectLawful(mutated.join(""));
      }),
      { numRuns: 500 },
    );
  });
});

function onlyGpu(sample: SampleGpu): ParsedGpu {
  const [gpu] = parseNvidiaSmiXml(sampleDocument([sample])).gpus;
  if (gpu === undefined) throw new Error("the sample holds no readable GPU");
  return gpu;
}

/** Whatever the input, uuids and indexes are unique and every verdict but healthy has a reason. */
function expectLawful(text: string): void {
  const { gpus, problems } = parseNvidiaSmiXml(text);
  expect(new Set(gpus.map(({ uuid }) => uuid)).size).toBe(gpus.length);
  expect(gpus.map(({ index }) => index)).toEqual(
    [...new Set(gpus.map(({ index }) => index))].toSorted((a, b) => a - b),
  );
  for (const { health } of gpus) expect(health.reasons.length > 0).toBe(health.verdict !== "healthy");
  expect(problems.length).toBeLessThanOrEqual(reportLimits.problemsMax);
}
