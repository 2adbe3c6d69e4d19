import Table from "cli-table3";
import { visible } from "./visible.ts";

/** Columns under their titles, without lines between them. Cells are made safe for a terminal. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return layOut([titles, ...rows]);
}

/** Facts one under the other: `name  value`. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string {
  return layOut(pairs);
}

function layOut(rows: readonly (readonly string[])[]): string {
  const layout = new Table({
    chars: noLines,
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [], compact: true },
  });
  for (const row of rows) layout.push(row.map((cell) => visible(cell) || "-"));
  const lines = layout.toString().split("\n");
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

const places = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left"] as const;
const morePlaces = [
  "bottom-right",
  "left",
  "left-mid",
  "mid",
  "mid-mid",
  "right",
  "right-mid",
  "middle",
] as const;
const noLines = Object.fromEntries([...places, ...morePlaces].map((place) => [place, ""]));
