import { parseAst } from "vitest/node";

/** A node of the syntax tree that vitest's own parser (oxc, ESTree with TypeScript) returns. */
export type SyntaxNode = { readonly type: string; readonly start: number; readonly [field: string]: unknown };

/** Calls `visit` for every node with its parent and the parent's field that holds it, parents first. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined, field: string) => void,
  parent?: SyntaxNode,
  parentField = "",
): void {
  visit(node, parent, parentField);
  for (const [field, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isSyntaxNode(child)) walk(child, visit, node, field);
    }
  }
}

/** Parses TypeScript; throws with the path, and the parser's error as cause, when the text is no TypeScript. */
export function parseModule(path: string, text: string): SyntaxNode {
  try {
    const program: unknown = parseAst(text, { lang: path.endsWith(".tsx") ? "tsx" : "ts", astType: "ts" });
    if (isSyntaxNode(program)) return program;
  } catch (cause) {
    throw new Error(`${path} does not parse`, { cause });
  }
  throw new Error(`${path}: the parser returned no syntax tree`);
}

/** What a module names in an import, a re-export, `import()` or an import type; undefined when it is computed. */
export type ModuleUse = { readonly specifier: string | undefined; readonly offset: number };

export function moduleUses(program: SyntaxNode): readonly ModuleUse[] {
  const uses: ModuleUse[] = [];
  walk(program, (node) => {
    if (!namesAModule.has(node.type)) return;
    if (!isSyntaxNode(node["source"])) return;
    const { value } = node["source"];
    uses.push({ specifier: typeof value === "string" ? value : undefined, offset: node.start });
  });
  return uses;
}

/** The name of an identifier node; undefined for every other node. */
export function identifierName(node: unknown): string | undefined {
  if (!isSyntaxNode(node) || node.type !== "Identifier") return undefined;
  return typeof node["name"] === "string" ? node["name"] : undefined;
}

const namesAModule = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
]);

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}
