import { Lexer, LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Document, Node, ParsedNode, YAMLMap } from "yaml";
import type { Fault } from "../model/fault.ts";
import { pathText } from "./document-path.ts";
import type { Path } from "./document-path.ts";
import { jobFileBytesMax, jobFileDepthMax, jobFileTokensMax, yamlAliasesMax } from "./limits.ts";

export type ReadDocument =
  | { readonly kind: "document"; readonly value: unknown }
  | { readonly kind: "faults"; readonly faults: readonly Fault[] };

/**
 * Reads one YAML 1.2 (or JSON) document into plain values. Text of any kind gives a value or faults with line and
 * column: it never throws, and its work is bounded by the limits of `limits.ts`.
 */
export function readDocument(text: string): ReadDocument {
  const tooBig = checkSize(text) ?? checkTokens(text);
  if (tooBig !== null) return { kind: "faults", faults: [tooBig] };

  const lines = new LineCounter();
  // Duplicate keys are looked for below: the package compares every key of a map with every other.
  const options = {
    schema: "core",
    resolveKnownTags: false,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
  } as const;
  const parsed = parseAllDocuments(text, options);
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  if (documents.length > 1) {
    return refused("", `${documents.length} documents`, "one document: give each job a file of its own");
  }
  const document = documents[0];
  if (document === undefined) return { kind: "document", value: null };

  const faults = [...document.errors, ...document.warnings].map((error) =>
    faultAt(lines, error.pos[0], firstLine(error.message), "well-formed YAML or JSON"),
  );
  if (faults.length > 0) return { kind: "faults", faults };

  const structure = checkStructure(document.contents, lines);
  if (structure.length > 0) return { kind: "faults", faults: structure };
  return toPlainValue(document);
}

function toPlainValue(document: Document.Parsed): ReadDocument {
  try {
    return { kind: "document", value: document.toJS({ maxAliasCount: yamlAliasesMax }) as unknown };
  } catch (error) {
    // The package answers excessive and unresolved aliases by throwing a ReferenceError; anything else is a defect.
    if (!(error instanceof ReferenceError)) throw error;
    return refused("", firstLine(error.message), `at most ${yamlAliasesMax} repetitions by alias`);
  }
}

/** UTF-8 is never shorter than one byte for a UTF-16 unit, so most texts need no count. */
function checkSize(text: string): Fault | null {
  const bytes = text.length > jobFileBytesMax ? text.length : utf8Length(text);
  if (bytes <= jobFileBytesMax) return null;
  return {
    path: "",
    found: `more than ${jobFileBytesMax} bytes`,
    allowed: `at most ${jobFileBytesMax} bytes`,
  };
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/**
 * Stops texts that are costly to parse before they are parsed: the parser recurses into nested collections. Nesting
 * within a line is judged here; by indentation it can not get deep within the size limit, and `checkStructure` judges it.
 */
function checkTokens(text: string): Fault | null {
  const tooDeep = { path: "", found: "too deep a nesting", allowed: `at most ${jobFileDepthMax} levels` };
  let tokens = 0;
  let flowDepth = 0;
  let indicatorsOfLine = 0;
  for (const token of new Lexer().lex(text)) {
    tokens++;
    if (tokens > jobFileTokensMax) {
      return {
        path: "",
        found: `more than ${jobFileTokensMax} tokens`,
        allowed: `at most ${jobFileTokensMax}`,
      };
    }
    if (token === "[" || token === "{") flowDepth++;
    else if (token === "]" || token === "}") flowDepth = Math.max(0, flowDepth - 1);
    else if (token === "-" || token === "?") indicatorsOfLine++;
    else if (token === "\n" || token === "\r\n") indicatorsOfLine = 0;
    if (flowDepth > jobFileDepthMax || indicatorsOfLine > jobFileDepthMax) return tooDeep;
  }
  return null;
}

/** Depth, duplicate keys and keys that are no plain text. */
function checkStructure(root: ParsedNode | null, lines: LineCounter): readonly Fault[] {
  const faults: Fault[] = [];
  const visit = (node: Node | null, path: Path, depth: number): void => {
    if (depth > jobFileDepthMax) {
      faults.push(
        faultAt(lines, node?.range?.[0] ?? 0, "too deep a nesting", `at most ${jobFileDepthMax} levels`),
      );
      return;
    }
    if (isSeq<Node | null>(node)) {
      node.items.forEach((item, index) => visit(item, [...path, index], depth + 1));
    } else if (isMap<Node | null, Node | null>(node)) {
      visitMap(node, path, depth);
    }
  };
  const visitMap = (map: YAMLMap<Node | null, Node | null>, path: Path, depth: number): void => {
    const seen = new Set<string>();
    for (const { key, value } of map.items) {
      const offset = key?.range?.[0] ?? map.range?.[0] ?? 0;
      if (!isScalar(key) || typeof key.value !== "string") {
        const found = isAlias(key) ? "an alias as a name" : "a property name that is not text";
        faults.push(faultAt(lines, offset, found, "a name in letters"));
        continue;
      }
      if (seen.has(key.value)) faults.push(duplicate([...path, key.value], lines, offset));
      seen.add(key.value);
      visit(value, [...path, key.value], depth + 1);
    }
  };
  visit(root, [], 0);
  return faults;
}

function duplicate(path: Path, lines: LineCounter, offset: number): Fault {
  return {
    path: pathText(path),
    found: `it a second time at ${placeOf(lines, offset)}`,
    allowed: "each property once",
  };
}

function faultAt(lines: LineCounter, offset: number, found: string, allowed: string): Fault {
  return { path: placeOf(lines, offset), found, allowed };
}

function placeOf(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${Math.max(1, line)}, column ${Math.max(1, col)}`;
}

/** The package puts a cut of the text below its message, and may quote the text in it. */
function firstLine(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/:$/, "").slice(0, messageLengthMax);
}

const messageLengthMax = 200;

function refused(path: string, found: string, allowed: string): ReadDocument {
  return { kind: "faults", faults: [{ path, found, allowed }] };
}
