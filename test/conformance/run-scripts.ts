import { readFileSync, readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { runInteractionStanza } from "./commands.ts";
import { ConfChangeScript } from "./conf-change-script.ts";
import { parseScript } from "./datadriven.ts";
import type { Stanza } from "./datadriven.ts";
import { Environment } from "./environment.ts";
import { runQuorumStanza } from "./quorum-script.ts";

/** What became of one script: how many stanzas ran, and where it first differed. */
export interface ScriptResult {
  /** Path below the folder. */
  readonly path: string;
  readonly stanzas: number;
  /** null when every stanza printed what it must. */
  readonly difference: string | null;
}

/** Runs all `*.txt` scripts below a folder, in the order of their paths. Throws when the folder cannot be read. */
export function runScripts(folder: string): readonly ScriptResult[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name.endsWith(".txt"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isFolder(path))
    .toSorted()
    .map((file) => ({ path: relative(folder, file), ...runFile(file) }));
}

/** Runs a script up to its first difference: what follows would only differ because of it. */
export function runScript(text: string): Omit<ScriptResult, "path"> {
  let ran = 0;
  try {
    const stanzas = parseScript(text);
    if (stanzas.length === 0) return { stanzas: 0, difference: "the file holds no stanza" };
    const run = runnerFor(stanzas);
    for (const stanza of stanzas) {
      ran += 1;
      const difference = differenceOf(run, stanza);
      if (difference !== null) return { stanzas: ran, difference };
    }
  } catch (error) {
    return { stanzas: ran, difference: textOf(error) };
  }
  return { stanzas: ran, difference: null };
}

function runFile(path: string): Omit<ScriptResult, "path"> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return { stanzas: 0, difference: `cannot be read: ${textOf(error)}` };
  }
  return runScript(text);
}

/** False for what cannot be looked at: the attempt to read it will tell why. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The three kinds of scripts share no directive. */
function runnerFor(stanzas: readonly Stanza[]): (stanza: Stanza) => string {
  const commands = new Set(stanzas.map(({ command }) => command));
  if (["vote", "committed"].some((command) => commands.has(command))) return runQuorumStanza;
  if (["simple", "enter-joint", "leave-joint"].some((command) => commands.has(command))) {
    const script = new ConfChangeScript();
    return (stanza) => script.run(stanza);
  }
  const env = new Environment();
  return (stanza) => runInteractionStanza(env, stanza);
}

/** A fault of the script and a broken invariant of the core are differences, whatever the expected output says. */
function differenceOf(run: (stanza: Stanza) => string, stanza: Stanza): string | null {
  let printed: string;
  try {
    printed = run(stanza);
  } catch (error) {
    return `line ${stanza.line}: ${stanza.text}\npanic: ${textOf(error)}`;
  }
  const actual = printed === "" || printed.endsWith("\n") ? printed : `${printed}\n`;
  return actual === stanza.expected ? null : describeDifference(stanza, actual);
}

function describeDifference(stanza: Stanza, actual: string): string {
  const [want, got] = [stanza.expected.split("\n"), actual.split("\n")];
  const at = want.findIndex((line, position) => line !== got[position]);
  const position = at < 0 ? want.length : at;
  return [
    `line ${stanza.line}: ${stanza.text}`,
    `output line ${position + 1}`,
    `  expected: ${want[position] ?? "<end>"}`,
    `  actual:   ${got[position] ?? "<end>"}`,
    "whole output:",
    actual,
  ].join("\n");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
