import { expect, it } from "vitest";
import { normalPciBusId } from "./pci.ts";

it.each([
  ["0000:0a:00.0", "00000000:0A:00.0"],
  ["00010000:0A:1E.7", "00010000:0A:1E.7"],
  ["N/A", null],
  ["0000:0a:00.8", null],
  [null, null],
])("normalises the PCI bus id %j to %j", (text, normal) => {
  expect(normalPciBusId(text)).toBe(normal);
});
