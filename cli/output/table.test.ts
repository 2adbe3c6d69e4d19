import { describe, expect, it } from "vitest";
import { facts, table } from "./table.ts";

describe("a table", () => {
  it("has columns as wide as their widest cell, and nothing at the ends of lines", () => {
    expect(
      table(
        ["ID", "NAME", "STATE"],
        [
          ["7", "train", "running"],
          ["12", "a-long-name", "queued"],
        ],
      ),
    ).toBe("ID  NAME         STATE\n7   train        running\n12  a-long-name  queued\n");
  });

  it("shows that a cell is empty", () => {
    expect(table(["A", "B"], [["", "x"]])).toBe("A  B\n-  x\n");
  });

  it("consists of its titles when there are no rows", () => {
    expect(table(["A", "B"], [])).toBe("A  B\n");
  });

  it("can not be broken by what stands in it", () => {
    expect(table(["NAME"], [["\x1b[31mred\n{{x}}"]])).toBe("NAME\n\\x1b[31mred\\x0a{{x}}\n");
  });

  it("of facts puts one under the other", () => {
    expect(
      facts([
        ["mesh", "m1"],
        ["leader", "a (term 3)"],
      ]),
    ).toBe("mesh    m1\nleader  a (term 3)\n");
  });
});
