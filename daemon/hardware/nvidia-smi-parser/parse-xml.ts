import { readGpuFacts } from "./gpu-facts.ts";
import { countOf, wordOf } from "./leaf.ts";
import { normalPciBusId } from "./pci.ts";
import type { NvidiaSmiReport, ParsedGpu } from "./report.ts";
import { reportLimits } from "./report.ts";
import { childrenOf, leafAt, readXmlDocument, type XmlNode } from "./xml-tree.ts";

/**
 * Reads the output of `nvidia-smi -q -x`, of any driver from 384 on. Never throws: what cannot be read is named in
 * `problems`, and a GPU that has no uuid is a problem instead of a GPU, because nothing could address it.
 */
export function parseNvidiaSmiXml(text: string): NvidiaSmiReport {
  const reading = readXmlDocument(text);
  if (reading.kind === "unreadable") {
    return {
      driver: null,
      cudaVersion: null,
      gpus: [],
      problems: [
        `the output of nvidia-smi -q -x cannot be used: ${reading.reason}; run the command by hand to see it whole`,
      ],
    };
  }

  const { root, remarks } = reading;
  const elements = childrenOf(root, "gpu");
  const { gpus, problems } = readGpus(elements.slice(0, reportLimits.gpusMax));
  const found = [
    ...remarks.map((line) => `nvidia-smi says: ${line}`),
    ...countProblems(elements.length, countOf(leafAt(root, "attached_gpus"))),
    ...problems,
  ];
  return {
    driver: wordOf(leafAt(root, "driver_version")),
    cudaVersion: wordOf(leafAt(root, "cuda_version")),
    gpus,
    problems: found.slice(0, reportLimits.problemsMax),
  };
}

function readGpus(elements: readonly XmlNode[]): { gpus: readonly ParsedGpu[]; problems: readonly string[] } {
  const gpus: ParsedGpu[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, { element, pciBusId }] of inBusOrder(elements).entries()) {
    const where = pciBusId === "" ? `GPU ${index} (no PCI bus id)` : `GPU ${index} at ${pciBusId}`;
    const uuid = leafAt(element, "uuid");
    if (uuid === null || !/^GPU-[0-9a-f-]{8,64}$/i.test(uuid)) {
      problems.push(
        `${where} has ${uuid === null ? "no uuid" : `the uuid ${JSON.stringify(uuid.slice(0, 64))}`} and is left out: ` +
          "reset it or reboot the node",
      );
      continue;
    }
    if (seen.has(uuid)) {
      problems.push(`${where} repeats the uuid ${uuid} and is left out`);
      continue;
    }
    seen.add(uuid);
    if (pciBusId === "")
      problems.push(`${where} is ranked last, so its index may be wrong: address it by ${uuid}`);
    gpus.push({ index, uuid, ...readGpuFacts(element, pciBusId) });
  }
  return { gpus, problems };
}

/** Orders by PCI bus id; those without one come last, in document order. */
function inBusOrder(elements: readonly XmlNode[]): readonly { element: XmlNode; pciBusId: string }[] {
  return elements
    .map((element) => ({ element, pciBusId: busIdOf(element) }))
    .toSorted((a, b) => compareText(a.pciBusId || "~", b.pciBusId || "~"));
}

function busIdOf(element: XmlNode): string {
  return (
    normalPciBusId(leafAt(element, "pci", "pci_bus_id")) ?? normalPciBusId(leafAt(element, "@_id")) ?? ""
  );
}

function countProblems(described: number, attached: number | null): readonly string[] {
  const problems: string[] = [];
  if (attached !== null && attached !== described) {
    problems.push(
      `${attached} GPUs are attached but ${described} are described: look for lost GPUs in the kernel log`,
    );
  }
  if (described > reportLimits.gpusMax) {
    problems.push(`${described} GPUs are described and only the first ${reportLimits.gpusMax} are read`);
  }
  return problems;
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
