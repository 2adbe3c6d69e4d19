import { describe, expect, it } from "vitest";
import { type Link, parseTopologyMatrix } from "../../../daemon/hardware/nvidia-smi-parser/topology.ts";
import { readSample, samplesIn } from "./samples.ts";

/** GPUs, adapters, and how often each link class stands among all cells off the diagonal. */
interface Expected {
  readonly gpus: number;
  readonly nics: number;
  readonly classes: Readonly<Record<string, number>>;
}

const oneGpu: Expected = { gpus: 1, nics: 0, classes: {} };
const expectedOf: Readonly<Record<string, Expected>> = {
  "topo/2gpu-nv2-spaces.txt": { gpus: 2, nics: 0, classes: { NV2: 2 } },
  "topo/2x1080ti-phb.txt": { gpus: 2, nics: 0, classes: { PHB: 2 } },
  "topo/4xV100-uneven-nvlink-1mlx5.txt": { gpus: 4, nics: 1, classes: { NV1: 6, NV2: 6, SYS: 8 } },
  "topo/dgx-a100-8xA100-12mlx5.txt": { gpus: 8, nics: 12, classes: { NV12: 56, PXB: 40, PIX: 4, SYS: 280 } },
  "topo/dgx1-like-8xV100-hybrid-cube-mesh.txt": { gpus: 8, nics: 0, classes: { NV1: 16, NV2: 16, SYS: 24 } },
  "topo/hgx-h20-8gpu-8nic.txt": { gpus: 8, nics: 8, classes: { NV18: 56, PIX: 16, NODE: 72, SYS: 96 } },
  "topo/pcie-8gpu-2socket-phb.txt": { gpus: 8, nics: 0, classes: { PHB: 6, NODE: 26, SYS: 24 } },
};

const samples = samplesIn("topo");

describe.each(samples)("$file", ({ file }) => {
  const text = readSample(file);
  const { devices, links, problems } = parseTopologyMatrix(text);
  const expected = expectedOf[file] ?? oneGpu;

  it("has the devices and link classes of the machine", () => {
    expect(problems).toEqual([]);
    expect(devices.filter(({ kind }) => kind === "gpu")).toHaveLength(expected.gpus);
    expect(devices.filter(({ kind }) => kind === "nic")).toHaveLength(expected.nics);
    const classes: Record<string, number> = {};
    for (const link of links.flat()) {
      if (link.kind !== "self") classes[cellOf(link)] = (classes[cellOf(link)] ?? 0) + 1;
    }
    expect(classes).toEqual(expected.classes);
  });

  it("has the cells of the raw text, row by row", () => {
    for (const [i, { name }] of devices.entries()) {
      const line = text.split("\n").find((candidate) => new RegExp(`^${name}\\s`).test(candidate)) ?? "";
      const cells = line
        .trim()
        .split(/\s+/)
        .slice(1, devices.length + 1);
      expect(links[i]?.map(cellOf)).toEqual(cells);
    }
  });

  it("knows the CPUs near each GPU", () => {
    for (const { kind, cpuAffinity } of devices) {
      if (kind === "gpu") expect(cpuAffinity).toMatch(/^\d+-\d+(,\d+-\d+)*$/);
      else expect(cpuAffinity).toBeNull();
    }
  });
});

describe("the samples of nvidia-smi topo -m", () => {
  it("are 13, all of them with known figures", () => {
    expect(samples).toHaveLength(13);
    expect(
      samples.filter(({ file }) => file in expectedOf || file.startsWith("topo/exporter-")),
    ).toHaveLength(13);
  });

  it("name the adapters behind the legend of an H20 machine, and the NUMA node of each GPU", () => {
    const { devices } = parseTopologyMatrix(readSample("topo/hgx-h20-8gpu-8nic.txt"));
    const nics = devices.filter(({ kind }) => kind === "nic").map(({ adapter }) => adapter);
    expect(nics).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((k) => `mlx5_${k}`));
    const nodes = devices.filter(({ kind }) => kind === "gpu").map(({ numaNode }) => numaNode);
    expect(nodes).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  });
});

function cellOf(link: Link): string {
  switch (link.kind) {
    case "self":
      return "X";
    case "nvlink":
      return `NV${link.count}`;
    case "unknown":
      return `unknown ${link.text}`;
    default:
      return link.kind.toUpperCase();
  }
}
