import type { Fault } from "../model/fault.ts";
import { nameLengthMax, wallClockSecondsMax } from "./limits.ts";
import { poolOfCluster } from "./normalise.ts";
import { credentialRules } from "./credential-rules.ts";
import { documentView } from "./document-view.ts";
import type { DocumentView, Report } from "./document-view.ts";
import { TOOLKIT_NAMES } from "./toolkit-schema.ts";
import { wallClockSeconds } from "./wall-clock.ts";

/**
 * The rules that join several properties. They look at the document as it was written, well-typed or not, so that
 * they speak up beside the faults of the schema, not only after those are mended.
 *
 * @param properties the job's properties: `properties` in Batch AI's form, the whole document in the native one
 * @param base where they stand in the document: `properties`, or empty
 */
export function faultsOfRules(properties: unknown, base: "properties" | ""): readonly Fault[] {
  const faults: Fault[] = [];
  const report: Report = (path, found, allowed) => {
    const whole = [base, path].filter((part) => part !== "").join(".");
    faults.push({ path: whole, found, allowed });
  };
  const job = documentView(properties);
  if (job === null) return [];
  oneToolkit(job, report);
  cntkLanguage(job, report);
  caffeProgram(job, report);
  tensorFlowCounts(job, report);
  nodeShape(job, report);
  onePool(job, report);
  uniqueNames(job, report);
  wallClock(job, report);
  credentialRules(job, report);
  return faults;
}

function oneToolkit(job: DocumentView, report: Report): void {
  const found = TOOLKIT_NAMES.filter((name) => job.has(name));
  if (found.length === 1) return;
  const names = found.length === 0 ? "no toolkit" : found.join(", ");
  report("", names, `exactly one of ${TOOLKIT_NAMES.join(", ")}`);
}

function cntkLanguage(job: DocumentView, report: Report): void {
  const block = job.object("cntkSettings");
  if (block === null) return;
  const language = block.text("languageType")?.toLowerCase();
  const brainScript = language === undefined ? block.has("configFilePath") : language === "brainscript";
  const path = "cntkSettings";
  if (brainScript) {
    if (!block.has("configFilePath"))
      report(`${path}.configFilePath`, "nothing", "the BrainScript config file");
    for (const name of ["pythonScriptFilePath", "pythonInterpreterPath"]) {
      if (block.has(name)) report(`${path}.${name}`, "it with BrainScript", "only with languageType Python");
    }
  } else {
    if (block.has("configFilePath")) {
      report(`${path}.configFilePath`, "it with Python", "only with languageType BrainScript");
    }
    if (!block.has("pythonScriptFilePath")) {
      report(path, "no program", "configFilePath (BrainScript) or pythonScriptFilePath (Python)");
    }
  }
}

function caffeProgram(job: DocumentView, report: Report): void {
  const block = job.object("caffeSettings");
  if (block === null) return;
  const config = block.has("configFilePath");
  const script = block.has("pythonScriptFilePath");
  if (config === script) {
    report("caffeSettings", config ? "both" : "neither", "one of configFilePath and pythonScriptFilePath");
  }
  if (!script && block.has("pythonInterpreterPath")) {
    report("caffeSettings.pythonInterpreterPath", "it without a script", "only with pythonScriptFilePath");
  }
}

function tensorFlowCounts(job: DocumentView, report: Report): void {
  const block = job.object("tensorFlowSettings");
  const nodes = job.number("nodeCount") ?? 1;
  const servers = block?.number("parameterServerCount");
  if (servers !== undefined && servers > nodes) {
    report("tensorFlowSettings.parameterServerCount", String(servers), `at most nodeCount, ${nodes}`);
  }
  const gpus = job.number("gpusPerNode");
  const workers = block?.number("workerCount");
  if (workers !== undefined && gpus !== undefined && gpus > 0 && workers > nodes * gpus) {
    report("tensorFlowSettings.workerCount", String(workers), `at most one a GPU, ${nodes * gpus}`);
  }
}

function nodeShape(job: DocumentView, report: Report): void {
  const whole = job.boolean("wholeNodes");
  const slots = job.number("slotsPerNode");
  if (whole === true && job.has("slotsPerNode")) {
    report(
      "slotsPerNode",
      "it with wholeNodes",
      "only where the job takes a share: leave one of the two out",
    );
  }
  const asksShare =
    whole === false || (whole === undefined && (job.has("gpusPerNode") || slots !== undefined));
  if (asksShare && (job.number("gpusPerNode") ?? 0) <= 0 && (slots ?? 0) <= 0) {
    report(
      job.has("gpusPerNode") ? "gpusPerNode" : job.has("slotsPerNode") ? "slotsPerNode" : "wholeNodes",
      "a share of nothing",
      "gpusPerNode or slotsPerNode above 0, or wholeNodes: true",
    );
  }
}

function onePool(job: DocumentView, report: Report): void {
  if (job.has("pool") && job.has("cluster")) {
    report("cluster", "it beside pool", "one of the two: they name the same thing");
  }
  const id = job.object("cluster")?.text("id");
  if (id === undefined) return;
  const pool = poolOfCluster(id);
  if (!/^[-\w]+$/.test(pool) || pool.length > nameLengthMax) {
    const allowed = `a pool's name or a path that ends in one: 1 to ${nameLengthMax} letters, digits, "-" and "_"`;
    report("cluster.id", JSON.stringify(pool.slice(0, nameLengthMax)), allowed);
  }
}

function uniqueNames(job: DocumentView, report: Report): void {
  const ids = new Map<string, string>();
  for (const name of ["inputDirectories", "outputDirectories"]) {
    for (const [index, entry] of job.list(name).entries()) {
      once(ids, `${name}:${entry?.text("id")}`, entry?.text("id"), `${name}[${index}].id`, report);
      if (name === "outputDirectories" && entry?.text("id")?.toLowerCase() === "stdouterr") {
        report(`${name}[${index}].id`, "stdouterr", "another id: this one is the folder of the output texts");
      }
    }
  }
  const variables = new Map<string, string>();
  for (const name of ["environmentVariables", "secrets"]) {
    for (const [index, entry] of job.list(name).entries()) {
      once(variables, entry?.text("name") ?? "", entry?.text("name"), `${name}[${index}].name`, report);
    }
  }
  const byName = job.object("environmentVariables");
  // The schema's map would leave it out without a word: JavaScript means the prototype by it.
  if (byName?.has("__proto__") === true) {
    report("environmentVariables.__proto__", "this name", "another name, or the list form");
  }
  for (const [index, entry] of job.list("secrets").entries()) {
    const name = entry?.text("name");
    if (name !== undefined && byName?.has(name) === true) {
      report(`secrets[${index}].name`, JSON.stringify(name), "a name that environmentVariables does not set");
    }
  }
}

function once(
  seen: Map<string, string>,
  key: string,
  shown: string | undefined,
  path: string,
  report: Report,
): void {
  if (shown === undefined) return;
  const first = seen.get(key);
  if (first === undefined) seen.set(key, path);
  else report(path, JSON.stringify(shown), `each one once; ${first} has it`);
}

function wallClock(job: DocumentView, report: Report): void {
  const given = job.object("constraints")?.text("maxWallClockTime");
  const seconds = given === undefined ? null : wallClockSeconds(given);
  if (seconds !== null && (seconds <= 0 || seconds > wallClockSecondsMax)) {
    report("constraints.maxWallClockTime", JSON.stringify(given), "more than nothing, at most 7 days (P7D)");
  }
}
