import { readFileSync, readdirSync } from "node:fs";
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

/** Runs all `*.txt` scripts below a folder, in the order of their paths. */
export function runScripts(folder: string): readonly ScriptResult[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".txt"))
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((file) => ({ path: relative(folder, file), ...runScript(readFileSync(file, "utf8")) }));
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
      const actual = runCatching(run, stanza);
      if (actual !== stanza.expected) return { stanzas: ran, difference: describeDifference(stanza, actual) };
    }
  } catch (error) {
    return { stanzas: ran, difference: String(error) };
  }
  return { stanzas: ran, difference: null };
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

function runCatching(run: (stanza: Stanza) => string, stanza: Stanza): string {
  let printed: string;
  try {
    printed = run(stanza);
  } catch (error) {
    printed = `panic: ${error instanceof Error ? error.message : String(error)}`;
  }
  return printed === "" || printed.endsWith("\n") ? printed : `${printed}\n`;
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
