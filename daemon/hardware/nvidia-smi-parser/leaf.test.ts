import { describe, expect, it } from "vitest";
import { countOf, faultOf, flagOf, quantityOf, wordOf } from "./leaf.ts";

const notValues = [
  "",
  "N/A",
  "[N/A]",
  "Not Supported",
  "Unknown Error",
  "[GPU requires reset]",
  "GPU is lost",
  null,
];

describe("leaf readers", () => {
  it.each(notValues)("read %j as no value at all", (text) => {
    expect(quantityOf(text, "MiB")).toBeNull();
    expect(countOf(text)).toBeNull();
    expect(flagOf(text)).toBeNull();
    expect(wordOf(text)).toBeNull();
  });

  it("reads quantities of the wanted unit only", () => {
    expect(quantityOf("81559 MiB", "MiB")).toBe(81559);
    expect(quantityOf("4036 MB", "MiB")).toBe(4036);
    expect(quantityOf("-5 C", "C")).toBe(-5);
    expect(quantityOf("49.68 W", "W")).toBe(49.68);
    expect(quantityOf("7 %", "%")).toBe(7);
    expect(quantityOf("7 %", "W")).toBeNull();
    expect(quantityOf("1e9 W", "W")).toBeNull();
  });

  it("knows a failure only where it is the whole value", () => {
    expect(faultOf("[Unknown Error]")).toBe("Unknown Error");
    expect(faultOf("ERR!")).toBe("Unknown Error");
    expect(faultOf("GPU is lost")).toBe("GPU is lost");
    expect(faultOf("/opt/GPU is lost")).toBeNull();
  });
});
