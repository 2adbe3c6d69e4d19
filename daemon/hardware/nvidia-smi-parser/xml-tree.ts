import { XMLParser, XMLValidator } from "fast-xml-parser";
import { reportLimits } from "./report.ts";

/** A parsed document: an element is an object of its children by name, a leaf is its trimmed text. */
export type XmlNode = string | XmlElement | readonly XmlNode[];

export interface XmlElement {
  readonly [name: string]: XmlNode;
}

export type XmlReading =
  | { readonly kind: "document"; readonly root: XmlElement; readonly remarks: readonly string[] }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * Reads the `<nvidia_smi_log>` element out of what the command wrote. Text around it, such as the infoROM warning
 * that comes after the document, is returned as remarks. Only a complete, well-formed document is read: half an
 * inventory would make healthy GPUs look missing, or failing ones look healthy.
 */
export function readXmlDocument(text: string): XmlReading {
  if (text.length > reportLimits.xmlCharsMax) {
    return unreadable(`it has ${text.length} characters and at most ${reportLimits.xmlCharsMax} are read`);
  }
  const start = text.indexOf(rootOpen);
  if (start === -1) {
    return unreadable(
      `it holds no ${rootOpen}> element; it begins with ${JSON.stringify(text.trim().slice(0, 120))}`,
    );
  }
  const end = text.lastIndexOf(rootClose);
  if (end < start) return unreadable(`it is cut off: ${rootClose} is missing`);

  const body = escapeProcessNames(text.slice(start, end + rootClose.length));
  const root = parseElement(body);
  if (typeof root === "string") return unreadable(root);
  return {
    kind: "document",
    root,
    remarks: remarksAround(text.slice(0, start), text.slice(end + rootClose.length)),
  };
}

/** The child of that name, the first one where there are several; null when `node` is no element or has none. */
export function childOf(node: XmlNode | null, name: string): XmlNode | null {
  if (!isElement(node) || !Object.hasOwn(node, name)) return null;
  const child = node[name] ?? null;
  return isList(child) ? (child[0] ?? null) : child;
}

/** All children of that name, in document order. */
export function childrenOf(node: XmlNode | null, name: string): readonly XmlNode[] {
  if (!isElement(node) || !Object.hasOwn(node, name)) return [];
  const child = node[name];
  if (child === undefined) return [];
  return isList(child) ? child : [child];
}

/** The text at the end of a path of child names; null when the path ends early or in an element without text. */
export function leafAt(node: XmlNode | null, ...path: readonly string[]): string | null {
  let current = node;
  for (const name of path) current = childOf(current, name);
  if (isElement(current)) current = childOf(current, "#text");
  return typeof current === "string" ? current.trim() : null;
}

/** Visits every text below `node` with the path that leads to it, except below the element names of `skip`. */
export function* leavesOf(
  node: XmlNode,
  skip: ReadonlySet<string>,
): Generator<{ path: string; text: string }> {
  const open: { readonly path: string; readonly node: XmlNode }[] = [{ path: "", node }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.node === "string") {
      yield { path: next.path, text: next.node.trim() };
    } else if (isList(next.node)) {
      for (const item of next.node) open.push({ path: next.path, node: item });
    } else {
      for (const [name, child] of Object.entries(next.node)) {
        if (!skip.has(name))
          open.push({ path: next.path === "" ? name : `${next.path}.${name}`, node: child });
      }
    }
  }
}

const rootOpen = "<nvidia_smi_log";
const rootClose = "</nvidia_smi_log>";

const parser = new XMLParser({ ignoreAttributes: false, parseTagValue: false });

function parseElement(body: string): XmlElement | string {
  try {
    const validity = XMLValidator.validate(body);
    if (validity !== true) return `it is not well-formed at line ${validity.err.line}: ${validity.err.msg}`;
    const parsed: unknown = parser.parse(body);
    if (isParsedElement(parsed)) {
      const root = childOf(parsed, "nvidia_smi_log");
      if (isElement(root)) return root;
    }
    return "its <nvidia_smi_log> element is empty";
  } catch (error) {
    return `the XML parser refused it: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * Escapes mark-up inside process names. They are chosen by whoever runs a job, so a name such as `</gpu>` must
 * neither break the inventory nor add a GPU to it. nvidia-smi writes each name on a line of its own.
 */
function escapeProcessNames(body: string): string {
  return body.replace(
    /^([\t ]*<process_name>)(.*)(<\/process_name>[\t\r ]*)$/gm,
    (_line, open: string, name: string, close: string) =>
      open + name.replace(/&(?!(?:amp|lt|gt|quot|apos);)/g, "&amp;").replaceAll("<", "&lt;") + close,
  );
}

function remarksAround(before: string, after: string): readonly string[] {
  const prologue = before.replace(/<\?xml[^>]*\?>/, "").replace(/<!DOCTYPE[^>]*>/, "");
  return [prologue, after]
    .flatMap((part) => part.split("\n"))
    .map((line) => line.trim().slice(0, reportLimits.wordCharsMax))
    .filter((line) => line !== "")
    .slice(0, 8);
}

function unreadable(reason: string): XmlReading {
  return { kind: "unreadable", reason };
}

function isElement(node: XmlNode | null): node is XmlElement {
  return typeof node === "object" && node !== null && !isList(node);
}

function isList(node: XmlNode | null): node is readonly XmlNode[] {
  return Array.isArray(node);
}

/** With `parseTagValue` off the parser makes strings, objects and arrays of these only: exactly `XmlNode`. */
function isParsedElement(value: unknown): value is XmlElement {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
