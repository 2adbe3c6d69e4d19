import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinMigUuids, parseNvidiaSmiList } from "./list.ts";
import { parseNvidiaSmiXml } from "./parse-xml.ts";
import { sampleDocument, sampleUuid } from "./sample-document.ts";

const list = [
  `GPU 0: NVIDIA A100-SXM4-40GB (UUID: ${sampleUuid(0)})`,
  `GPU 1: NVIDIA A100 (PCIe) 40GB (UUID: ${sampleUuid(1)})`,
  "  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)",
  `  MIG 1g.5gb+me   Device  1: (UUID: MIG-${sampleUuid(1)}/9/0)`,
  "Unable to determine the device handle for gpu 0000:0B:00.0: Unknown Error",
  "",
].join("\n");

describe("parseNvidiaSmiList", () => {
  it("reads GPUs, their MIG devices of both uuid forms, and what it does not know", () => {
    const { gpus, problems } = parseNvidiaSmiList(list);
    expect(gpus.map(({ index, uuid, name }) => [index, uuid, name])).toEqual([
      [0, sampleUuid(0), "NVIDIA A100-SXM4-40GB"],
      [1, sampleUuid(1), "NVIDIA A100 (PCIe) 40GB"],
    ]);
    expect(gpus.map(({ migDevices }) => migDevices)).toEqual([
      [],
      [
        { index: 0, uuid: "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f", profile: "3g.20gb" },
        { index: 1, uuid: `MIG-${sampleUuid(1)}/9/0`, profile: "1g.5gb+me" },
      ],
    ]);
    expect(problems).toEqual([
      "nvidia-smi -L says: Unable to determine the device handle for gpu 0000:0B:00.0: Unknown Error",
    ]);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(list.length), (text, at) => {
        const mutated = parseNvidiaSmiList(list.slice(0, at) + text + list.slice(at));
        expect(mutated.gpus.length).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe("joinMigUuids", () => {
  const device = (index: number) =>
    `<mig_device><index>${index}</index><gpu_instance_id>${index + 3}</gpu_instance_id>` +
    "<compute_instance_id>0</compute_instance_id></mig_device>";
  const mig_devices = device(0) + device(1) + device(2);
  const mig_mode = "<current_mig>Enabled</current_mig><pending_mig>Enabled</pending_mig>";

  it("joins on GPU uuid and device index and names a device without uuid", () => {
    const report = parseNvidiaSmiXml(
      sampleDocument([{ uuid: sampleUuid(1), elements: { mig_mode, mig_devices } }]),
    );
    const joined = joinMigUuids(report, { ...parseNvidiaSmiList(list), problems: [] });
    expect(joined.gpus[0]?.mig.devices.map(({ uuid }) => uuid)).toEqual([
      "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
      `MIG-${sampleUuid(1)}/9/0`,
      null,
    ]);
    expect(joined.problems).toEqual([
      `MIG device 2 of ${sampleUuid(1)} is not in nvidia-smi -L: it has no uuid`,
    ]);
  });
});
