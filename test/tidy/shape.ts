import { isCode, isModule, lineAt, type Complaint, type SourceFile } from "./source-file.ts";
import { parseModule, walk } from "./syntax.ts";

const linesMax = 400;

/** A file that is too long to be read at one sitting. */
export function lengthComplaints({ path, text }: SourceFile): readonly Complaint[] {
  const lines = text.replace(/\n$/, "").split("\n").length;
  if (!isCode(path) || lines <= linesMax) return [];
  return [
    {
      path,
      what: `has ${lines} lines, more than ${linesMax}`,
      remedy: "Split it where the subject changes, each part named after its main export",
    },
  ];
}

/** Names that are no kebab-case (Python modules may be snake_case), or that say what kind of code stands there and not what it is about. */
export function nameComplaints({ path }: SourceFile): readonly Complaint[] {
  if (!isCode(path)) return [];
  return path.split("/").flatMap((name) => {
    const parts = name.replace(/^\./, "").split(".");
    const style = path.endsWith(".py") ? snakeOrKebabCase : kebabCase;
    if (!parts.every((part) => style.test(part))) {
      return [
        { path, what: `"${name}" is not kebab-case`, remedy: "Name it like raft-log.ts or raft-log.test.ts" },
      ];
    }
    if (!vagueNames.has(parts[0] ?? "")) return [];
    return [
      {
        path,
        what: `"${name}" names a kind of code, not a subject`,
        remedy: "Name the file or folder after what it knows, or move the code to its only user",
      },
    ];
  });
}

/** Default exports, which let every importer choose another name. Tools demand one of their configuration files. */
export function defaultExportComplaints(file: SourceFile): readonly Complaint[] {
  if (!isModule(file.path) || /^[\w-]+\.config\.ts$/.test(file.path)) return [];
  const complaints: Complaint[] = [];
  walk(parseModule(file.path, file.text), (node) => {
    const exported = node.type === "ExportSpecifier" && /\bas\s+default\b/.test(sourceOf(file, node));
    if (node.type !== "ExportDefaultDeclaration" && !exported) return;
    complaints.push({
      path: file.path,
      line: lineAt(file.text, node.start),
      what: "a default export",
      remedy: "Export it by its name",
    });
  });
  return complaints;
}

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const snakeOrKebabCase = /^[a-z0-9]+([_-][a-z0-9]+)*$/;
const vagueNames = new Set([
  "common",
  "helper",
  "helpers",
  "manager",
  "managers",
  "misc",
  "service",
  "services",
  "shared",
  "types",
  "util",
  "utils",
]);

function sourceOf(
  { text }: SourceFile,
  node: { readonly start: number; readonly [field: string]: unknown },
): string {
  return text.slice(node.start, typeof node["end"] === "number" ? node["end"] : node.start);
}
