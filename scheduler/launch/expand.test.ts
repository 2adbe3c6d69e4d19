import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expander } from "./expand.ts";
import type { Definition } from "./expand.ts";

const facts = { HOME: "/data/u", PATH: "/bin", A_1: "a" };

function withVariables(
  values: Readonly<Record<string, string>>,
  paths: Readonly<Record<string, string>> = {},
) {
  const definitions = new Map<string, Definition>();
  for (const [name, template] of Object.entries(values)) definitions.set(name, { template, as: "value" });
  for (const [name, template] of Object.entries(paths)) definitions.set(name, { template, as: "path" });
  return expander(facts, definitions);
}

describe("expander", () => {
  it.each([
    ["$HOME/x", "/data/u/x"],
    ["${HOME}x", "/data/ux"],
    ["$A_1$A_1", "aa"],
    ["$A_1.b", "a.b"],
    ["5$ and $1 and $", "5$ and $1 and $"],
    ["$(id) `id` ~", "$(id) `id` ~"],
    ["", ""],
  ])("expands %j to %j", (template, text) => {
    expect(withVariables({}).path(template, "p")).toEqual({ kind: "text", text });
  });

  it("refuses a path that names an unknown variable, and says which", () => {
    expect(withVariables({}).path("$NOWHERE/x", "workingDirectory")).toEqual({
      kind: "refused",
      reason:
        "workingDirectory names $NOWHERE, which is not set: set it in environmentVariables or write the path out",
    });
    expect(withVariables({}).path("${HOME:-/x}", "p")).toMatchObject({ kind: "refused" });
    expect(withVariables({}).path("$toString", "p")).toMatchObject({ kind: "refused" });
  });

  it("leaves unknown variables in a user's value as they stand", () => {
    expect(withVariables({ PRICE: "$5 or $OTHER ${X:-y}" }).value("PRICE")).toEqual({
      kind: "text",
      text: "$5 or $OTHER ${X:-y}",
    });
  });

  it("lets definitions name each other in any order, and themselves for what is underneath", () => {
    const expand = withVariables({ PATH: "$CODE/bin:$PATH", DATA: "/data" }, { CODE: "$DATA/code" });
    expect(expand.value("PATH")).toEqual({ kind: "text", text: "/data/code/bin:/bin" });
    expect(withVariables({ X: "a:$X" }).value("X")).toEqual({ kind: "text", text: "a:$X" });
  });

  it("refuses a circle", () => {
    const expand = withVariables({ A: "$B", B: "$C", C: "$A" });
    expect(expand.value("B")).toMatchObject({ reason: expect.stringContaining("B, C, A name each other") });
    expect(expand.path("$A", "p")).toMatchObject({ kind: "refused" });
  });

  it("refuses growth without bound", () => {
    const doubling = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [`V${n}`, n === 0 ? "x" : `$V${n - 1}$V${n - 1}`]),
    );
    expect(withVariables(doubling).value("V59")).toMatchObject({
      reason: expect.stringContaining("longer than 40000 characters"),
    });
  });

  it("gives text or a refusal for any definitions", () => {
    const template = fc
      .array(fc.constantFrom("$A", "$B", "${C}", "${", "x", "$", "/", "$HOME"))
      .map((p) => p.join(""));
    const values = fc.dictionary(fc.constantFrom("A", "B", "C"), template);
    fc.assert(
      fc.property(values, values, template, (variables, paths, text) => {
        const expand = withVariables(variables, paths);
        for (const name of ["A", "B", "C"]) expand.value(name);
        expect(["text", "refused"]).toContain(expand.path(text, "p").kind);
      }),
    );
  });
});
