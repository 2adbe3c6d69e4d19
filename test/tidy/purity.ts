import { isBuiltin } from "node:module";
import { impureGlobals, impureMethods, purePackages, roomOf, rooms, type Room } from "./rooms.ts";
import { isTestCode, lineAt, type Complaint, type SourceFile } from "./source-file.ts";
import { identifierName, moduleUses, parseModule, walk, type SyntaxNode } from "./syntax.ts";

/** What a file of a pure room does that is not pure. Tests and fixtures beside pure code may do anything. */
export function purityComplaints(file: SourceFile, table: readonly Room[] = rooms): readonly Complaint[] {
  if (!roomOf(file.path, table)?.pure || isTestCode(file.path)) return [];
  const program = parseModule(file.path, file.text);
  const found: { readonly offset: number; readonly what: string; readonly remedy: string }[] = [];
  for (const { specifier, offset } of moduleUses(program)) {
    const fault = specifier === undefined ? undefined : packageFault(specifier);
    if (fault) found.push({ offset, ...fault });
  }
  walk(program, (node, parent, field) => {
    const fault = nodeFault(node, parent, field);
    if (fault) found.push({ offset: node.start, ...fault });
  });
  return found.map(({ offset, what, remedy }) => ({
    path: file.path,
    line: lineAt(file.text, offset),
    what,
    remedy,
  }));
}

type Fault = { readonly what: string; readonly remedy: string };

function packageFault(specifier: string): Fault | undefined {
  if (specifier.startsWith(".")) return undefined;
  if (isBuiltin(specifier)) {
    return { what: `pure code imports ${specifier}`, remedy: "Take what it would read as an argument" };
  }
  if (purePackages.includes(specifier)) return undefined;
  return {
    what: `pure code imports the package ${specifier}`,
    remedy: `Only ${purePackages.join(", ")} are known to be pure; test/tidy/rooms.ts holds the list`,
  };
}

function nodeFault(node: SyntaxNode, parent: SyntaxNode | undefined, field: string): Fault | undefined {
  if (node.type === "AwaitExpression" || node["async"] === true || node["await"] === true) {
    return {
      what: "pure code waits (async or await)",
      remedy: "Return a value that says what to do; the driver waits",
    };
  }
  if (node.type === "MemberExpression") return methodFault(node);
  const name = identifierName(node);
  if (name === undefined || !impureGlobals.includes(name) || isOnlyAName(parent, field)) return undefined;
  return {
    what: `pure code uses ${name}`,
    remedy:
      "Time, ids and randomness ride in the command; take the value as an argument, or rename a local of this name",
  };
}

function methodFault(member: SyntaxNode): Fault | undefined {
  const method = identifierName(member["property"]) ?? "";
  if (identifierName(member["object"]) === "Math" && method === "random") {
    return { what: "pure code uses Math.random", remedy: "Take a seed as an argument" };
  }
  if (!impureMethods.includes(method)) return undefined;
  return {
    what: `pure code uses ${method}, which depends on the machine's language settings`,
    remedy: "Compare with < and >, and format with code of our own, so that every voter gets the same answer",
  };
}

/** True where an identifier names a member or a label, and so does not refer to a global. */
function isOnlyAName(parent: SyntaxNode | undefined, field: string): boolean {
  if (!parent || parent["computed"] === true) return false;
  if (field === "property" || field === "right") return namedByField.has(parent.type);
  return field === "key" || field === "label";
}

const namedByField = new Set(["MemberExpression", "TSQualifiedName"]);
