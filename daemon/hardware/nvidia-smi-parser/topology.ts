/** The matrix of `nvidia-smi topo -m`: how each pair of GPUs and network adapters is connected. */
export interface TopologyMatrix {
  readonly devices: readonly TopologyDevice[];
  /** Square: `links[i][j]` connects `devices[i]` with `devices[j]`. */
  readonly links: readonly (readonly Link[])[];
  readonly problems: readonly string[];
}

export interface TopologyDevice {
  readonly kind: "gpu" | "nic";
  /** As in the header: `GPU0`, `NIC0`, `mlx5_0`. */
  readonly name: string;
  /** The adapter behind `NICk`, from the NIC legend; null for GPUs and where there is no legend. */
  readonly adapter: string | null;
  /** CPU list such as `0-47,96-143`; null where the row names none. */
  readonly cpuAffinity: string | null;
  readonly numaNode: number | null;
}

/** From best to worst: nvlink, pix, pxb, phb, node, sys, as in the legend below the matrix. */
export type Link =
  | { readonly kind: "self" }
  /** A bonded set of `count` NVLinks. */
  | { readonly kind: "nvlink"; readonly count: number }
  | { readonly kind: "pix" | "pxb" | "phb" | "node" | "sys" }
  | { readonly kind: "unknown"; readonly text: string };

/**
 * Reads `nvidia-smi topo -m`: tab separated (or aligned with spaces, as pasted text is), with or without ANSI
 * underline around the header, with any of the trailing columns, in which adapter rows may lack cells. Never throws.
 */
export function parseTopologyMatrix(text: string): TopologyMatrix {
  const lines = text.slice(0, matrixCharsMax).replace(ansiSequence, "").split(/\r?\n/);
  const headerAt = lines.findIndex((line) => /^\s+GPU\d/.test(line));
  const header = headerAt === -1 ? null : headerOf(lines[headerAt] ?? "");
  if (header === null) {
    return {
      devices: [],
      links: [],
      problems: ["nvidia-smi topo -m printed no matrix: it has no header with GPU0"],
    };
  }

  const rows = rowsOf(lines.slice(headerAt + 1), header.names.length);
  const legend = nicLegendOf(lines);
  const problems: string[] = [];
  const devices = header.names.map((name): TopologyDevice => {
    const row = rows.get(name);
    if (row === undefined) problems.push(`${name} has a column but no row`);
    return {
      kind: /^GPU\d+$/.test(name) ? "gpu" : "nic",
      name,
      adapter: legend.get(name) ?? null,
      cpuAffinity: cpuListOf(trailingCell(row, header.trailing, "CPU Affinity")),
      numaNode: nodeOf(trailingCell(row, header.trailing, "NUMA Affinity")),
    };
  });
  const links = header.names.map((name) =>
    header.names.map((_, column) => linkOf(rows.get(name)?.links[column] ?? "")),
  );
  return { devices, links, problems: [...problems, ...linkProblems(devices, links)].slice(0, problemsMax) };
}

interface Row {
  readonly links: readonly string[];
  readonly trailing: readonly string[];
}

const matrixCharsMax = 1024 * 1024;
const devicesMax = 256;
const problemsMax = 64;
const escape = String.fromCharCode(0x1b);
const ansiSequence = new RegExp(`${escape}\\[[0-9;]*m`, "g");

/** Only tabs separate cells for certain; a line without one was aligned with at least two spaces. */
function cellsOf(line: string): readonly string[] {
  const cells = line.includes("\t") ? line.split("\t") : line.split(/ {2,}/);
  return cells.map((cell) => cell.trim());
}

function headerOf(
  line: string,
): { readonly names: readonly string[]; readonly trailing: readonly string[] } | null {
  const cells = cellsOf(line).slice(1);
  const firstTrailing = cells.findIndex((cell) => cell === "" || / (?:Affinity|ID)$/.test(cell));
  const names = firstTrailing === -1 ? cells : cells.slice(0, firstTrailing);
  if (names.length === 0 || names.length > devicesMax) return null;
  return { names, trailing: cells.slice(names.length) };
}

/** The rows by device name, up to the blank line before the legend. */
function rowsOf(lines: readonly string[], width: number): ReadonlyMap<string, Row> {
  const rows = new Map<string, Row>();
  for (const line of lines) {
    if (line.trim() === "") break;
    const [name = "", ...cells] = cellsOf(line);
    rows.set(name, { links: cells.slice(0, width), trailing: cells.slice(width) });
  }
  return rows;
}

function nicLegendOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const start = lines.findIndex((line) => line.trim() === "NIC Legend:");
  const legend = new Map<string, string>();
  if (start === -1) return legend;
  for (const line of lines.slice(start + 1)) {
    const match = /^\s*(NIC\d+): (\S{1,64})\s*$/.exec(line);
    if (match !== null) legend.set(match[1] ?? "", match[2] ?? "");
  }
  return legend;
}

/** `GPU NUMA ID` is set off by two tabs, so only the columns before it stand below their headings. */
function trailingCell(row: Row | undefined, headings: readonly string[], heading: string): string | null {
  const column = headings.indexOf(heading);
  return column === -1 ? null : (row?.trailing[column] ?? null);
}

function cpuListOf(cell: string | null): string | null {
  return cell !== null && /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(cell) ? cell : null;
}

/** A GPU near several nodes shows a list, such as `0-1`: then no single node is the right one. */
function nodeOf(cell: string | null): number | null {
  return cell !== null && /^\d{1,6}$/.test(cell) ? Number(cell) : null;
}

function linkOf(cell: string): Link {
  const nvlink = /^NV(\d{1,3})$/.exec(cell);
  if (nvlink !== null) return { kind: "nvlink", count: Number(nvlink[1]) };
  switch (cell) {
    case "X":
      return { kind: "self" };
    case "PIX":
      return { kind: "pix" };
    case "PXB":
      return { kind: "pxb" };
    case "PHB":
      return { kind: "phb" };
    case "NODE":
      return { kind: "node" };
    case "SYS":
    case "SOC": // The name of SYS up to driver 384.
      return { kind: "sys" };
    default:
      return { kind: "unknown", text: cell.slice(0, 32) };
  }
}

function linkProblems(devices: readonly TopologyDevice[], links: TopologyMatrix["links"]): readonly string[] {
  const problems: string[] = [];
  for (const [i, row] of links.entries()) {
    for (const [j, link] of row.entries()) {
      const pair = `${devices[i]?.name} and ${devices[j]?.name}`;
      if (link.kind === "unknown") problems.push(`the link of ${pair} reads ${JSON.stringify(link.text)}`);
      else if ((link.kind === "self") !== (i === j)) problems.push(`the diagonal is broken at ${pair}`);
      else if (i < j && !sameLink(link, links[j]?.[i]))
        problems.push(`the link of ${pair} differs by direction`);
    }
  }
  return problems;
}

function sameLink(a: Link, b: Link | undefined): boolean {
  if (b === undefined || a.kind !== b.kind) return false;
  return a.kind !== "nvlink" || (b.kind === "nvlink" && a.count === b.count);
}
