import { describe, expect, it } from "vitest";
import { gpuInventoryOf, readInventory } from "./inventory.ts";
import { parseNvidiaSmiXml } from "./nvidia-smi-parser/parse-xml.ts";
import { sampleDocument, sampleUuid } from "./nvidia-smi-parser/sample-document.ts";

describe("gpuInventoryOf", () => {
  it("lists unhealthy GPUs as such, and degraded ones as healthy with reasons", () => {
    const report = parseNvidiaSmiXml(
      sampleDocument([
        { uuid: sampleUuid(0), pciBusId: "0000:01:00.0", elements: { gpu_recovery_action: "Reboot" } },
        { uuid: sampleUuid(1), pciBusId: "0000:02:00.0", elements: { fan_speed: "Unknown Error" } },
        { uuid: sampleUuid(2), pciBusId: "0000:03:00.0" },
      ]),
    );
    const { driver, gpus, problems } = gpuInventoryOf({ kind: "gpus", report });
    expect(driver).toBe("570.148.08");
    expect(gpus.map(({ uuid, healthy, reasons }) => [uuid, healthy, reasons.length])).toEqual([
      [sampleUuid(0), false, 1],
      [sampleUuid(1), true, 1],
      [sampleUuid(2), true, 0],
    ]);
    expect(gpus[2]).toEqual({
      uuid: sampleUuid(2),
      index: 2,
      name: "NVIDIA A100-SXM4-40GB",
      memoryMiB: 40960,
      pciBusId: "00000000:03:00.0",
      healthy: true,
      reasons: [],
    });
    expect(problems).toEqual([]);
  });

  it("does not offer a GPU in MIG mode as a whole one", () => {
    const mig_mode = "<current_mig>Enabled</current_mig><pending_mig>Enabled</pending_mig>";
    const report = parseNvidiaSmiXml(sampleDocument([{ elements: { mig_mode } }]));
    expect(gpuInventoryOf({ kind: "gpus", report }).gpus).toMatchObject([
      { healthy: false, reasons: [expect.stringContaining("MIG mode with 0 devices")] },
    ]);
  });

  it("names a failure with its next step, and no problem where there is no GPU", () => {
    expect(gpuInventoryOf({ kind: "none", reason: "absent" })).toEqual({
      driver: null,
      gpus: [],
      problems: [],
    });
    const failure = { kind: "failed", exitCode: 9, reason: "not loaded", nextStep: "load it" } as const;
    expect(gpuInventoryOf(failure).problems).toEqual(["GPUs are not offered: not loaded; load it"]);
  });
});

describe("readInventory", () => {
  it("offers this machine, with as many slots as CPUs unless told otherwise", async () => {
    const env = { PATH: "/nonexistent" };
    const { inventory, problems } = await readInventory({ timeoutMs: 10_000, env });
    expect(problems).toEqual([]);
    expect(inventory).toMatchObject({ slots: inventory.cpus, gpus: [], driver: null });
    expect(inventory.interfaces.map(({ address }) => address)).toContain("127.0.0.1");
    expect(Object.keys(inventory.interfaces[0] ?? {}).toSorted()).toEqual([
      "address",
      "cidr",
      "name",
      "speedMbps",
      "up",
    ]);
    expect((await readInventory({ timeoutMs: 10_000, env, slots: 3 })).inventory.slots).toBe(3);
  });
});
