import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

/** The samples stand beside the checkout and are read in place. A missing folder fails every test that needs it. */
const samplesDir = resolve(import.meta.dirname, "../../../../shared/data/nvidia-smi");

export interface IndexedSample {
  /** Path below the samples' folder, e.g. `xml/telegraf-a10g.xml`. */
  readonly file: string;
  readonly driver: string;
  /** From a `gpu` cell such as `8x NVIDIA H100 80GB HBM3`; null where the cell has no count. */
  readonly gpus: { readonly count: number; readonly name: string } | null;
}

export function samplePath(file: string): string {
  return join(samplesDir, file);
}

export function readSample(file: string): string {
  return readFileSync(samplePath(file), "utf8");
}

/** Every file of one of the samples' folders, with its line of `index.tsv`. */
export function samplesIn(folder: string): readonly IndexedSample[] {
  const [header = "", ...lines] = readSample("index.tsv").trimEnd().split("\n");
  const columns = header.split("\t");
  const indexed = new Map(
    lines.map((line) => {
      const cells = line.split("\t");
      const cell = (name: string): string => cells[columns.indexOf(name)] ?? "";
      const match = /^(\d+)x (.+)$/.exec(cell("gpu"));
      const gpus = match === null ? null : { count: Number(match[1]), name: match[2] ?? "" };
      return [cell("file"), { file: cell("file"), driver: cell("driver"), gpus }] as const;
    }),
  );
  return readdirSync(samplePath(folder))
    .map((name) => `${folder}/${name}`)
    .filter((file) => statSync(samplePath(file)).isFile())
    .map((file) => {
      const sample = indexed.get(file);
      if (sample === undefined) throw new Error(`${file} has no line in index.tsv`);
      return sample;
    });
}
