import { runScripts } from "./run-scripts.ts";
import type { ScriptResult } from "./run-scripts.ts";

/**
 * Usage: node test/conformance/raft.ts DIR. Exits with 0 only if scripts were found and all of them passed. The last line
 * is the summary as JSON, whatever happens.
 */
const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node test/conformance/raft.ts DIR (a folder with raft test scripts, *.txt)");
  process.exit(2);
}
const results = read(folder);
for (const { path, difference } of results) console.log(`${path}: ${difference ?? "passed"}`);
const failed = results.filter(({ difference }) => difference !== null).length;
const stanzas = results.reduce((sum, result) => sum + result.stanzas, 0);
console.log(JSON.stringify({ files: results.length, stanzas, passed: results.length - failed, failed }));
process.exitCode = results.length > 0 && failed === 0 ? 0 : 1;

function read(from: string): readonly ScriptResult[] {
  try {
    return runScripts(from);
  } catch (error) {
    console.error(`cannot read ${from}: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}
