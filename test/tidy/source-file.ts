import { readdirSync, readFileSync } from "node:fs";
import { matchesGlob } from "node:path";

/** One file of the project; `path` is relative to the repository root, with forward slashes. */
export type SourceFile = { readonly path: string; readonly text: string };

/** One broken rule: where, what is wrong, and what to do about it. `line` counts from 1. */
export type Complaint = {
  readonly path: string;
  readonly line?: number;
  readonly what: string;
  readonly remedy: string;
};

export function formatComplaint({ path, line, what, remedy }: Complaint): string {
  return `${path}${line === undefined ? "" : `:${line}`}: ${what}. ${remedy}`;
}

/** The line, counted from 1, that holds the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

const codeExtensions = [".ts", ".tsx", ".js", ".mjs", ".cjs", ".sh", ".py", ".proto"];

/** Written by `npm run generate`: checked for being fresh, not for style. */
export function isGenerated(path: string): boolean {
  return path.startsWith("proto/gen/");
}

/** True for a file that people write in a programming language. */
export function isCode(path: string): boolean {
  return codeExtensions.some((extension) => path.endsWith(extension)) && !isGenerated(path);
}

/** True for a TypeScript module that people write. */
export function isModule(path: string): boolean {
  return (path.endsWith(".ts") || path.endsWith(".tsx")) && !isGenerated(path);
}

/** True for what vitest runs. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

/** True for tests, and for x.fixture.ts, which holds what the tests of several files need. */
export function isTestCode(path: string): boolean {
  return path.startsWith("test/") || /\.(test|fixture)\.tsx?$/.test(path);
}

/**
 * Every file that belongs to the project under `root`, that is all but git's own and those that .gitignore names.
 * Reads the folders itself, so that it works in an exported tree too.
 */
export function readProject(root: string): readonly SourceFile[] {
  const ignored = ignoreRules(readFileSync(`${root}/.gitignore`, "utf8"));
  const files: SourceFile[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (path === ".git" || ignored(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile()) files.push({ path, text: readFileSync(`${root}/${path}`, "utf8") });
    }
  };
  visit("");
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Understands the part of .gitignore's language that the project uses: a glob for one name, `/` in front for "at the
 * root only", `/` behind for "folders only". Throws on a negation, which would be misread in silence.
 */
export function ignoreRules(gitignore: string): (path: string, isFolder: boolean) => boolean {
  const rules = gitignore
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      if (line.startsWith("!"))
        throw new Error(`.gitignore: "${line}": negations are not read here; name the files`);
      const bare = line.replace(/^\//, "").replace(/\/$/, "");
      const anchored = line.startsWith("/") || bare.includes("/");
      return { glob: anchored ? bare : `**/${bare}`, foldersOnly: line.endsWith("/") };
    });
  return (path, isFolder) =>
    rules.some(({ glob, foldersOnly }) => (isFolder || !foldersOnly) && matchesGlob(path, glob));
}
