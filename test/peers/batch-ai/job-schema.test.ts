import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { batchAiJobFile } from "../../../scheduler/jobfile/job-file-schema.ts";
import { parseJobDocument } from "../../../scheduler/jobfile/parse-job-file.ts";

/** Compares our job schema with Batch AI's API definition (2018-05-01) and with its published job schema. */

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly oneOf?: readonly JsonSchema[];
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

const data = join(import.meta.dirname, "../../../../shared/data/batch-ai");
const read = (name: string): JsonSchema => JSON.parse(readFileSync(join(data, name), "utf8")) as JsonSchema;
const peers: readonly (readonly [string, JsonSchema])[] = [
  ["swagger", read("swagger/BatchAI.json")],
  ["job.json", read("json-schemas/job.json")],
];
const ours = propertyOf(z.toJSONSchema(batchAiJobFile, { io: "input" }) as JsonSchema, "properties");

/** Where we ask for less, because Batch AI's own recipes leave it to the command line. */
const requiredThereOnly = new Set([
  "cluster",
  "mountVolumes.azureFileShares[].accountName",
  "mountVolumes.azureFileShares[].credentials",
  "mountVolumes.azureBlobFileSystems[].accountName",
  "mountVolumes.azureBlobFileSystems[].credentials",
]);
/** Where we ask for more: a job with nothing to run. */
const requiredHereOnly = new Set(["customToolkitSettings.commandLine"]);

describe.each(peers)("our job schema and Batch AI's %s", (_, peer) => {
  const definitions = peer.definitions ?? {};
  const theirs = definitions["JobBaseProperties"] ?? {};

  it("name the same properties, of the same types, at every depth", () => {
    expect(outline(ours, {})).toEqual(outline(theirs, definitions));
    expect(Object.keys(outline(theirs, definitions)).length).toBeGreaterThan(100);
  });

  it("require the same", () => {
    const there = requiredPaths(theirs, definitions).filter((path) => !requiredThereOnly.has(path));
    const here = requiredPaths(ours, {}).filter((path) => !requiredHereOnly.has(path));
    expect(here).toEqual(there);
    expect(requiredPaths(theirs, definitions)).toEqual(expect.arrayContaining([...requiredThereOnly]));
  });

  it("know the same words", () => {
    expect(enums(theirs, definitions)).toEqual({ schedulingPriority: ["high", "low", "normal"] });
    expect(enums(ours, {})).toEqual(enums(theirs, definitions));
  });
});

it("the words that the API's descriptions name are taken in any spelling", () => {
  for (const word of ["TCP", "Gloo", "MPI", "gloo", "mpi"]) {
    expect(kindOf({ pyTorchSettings: { pythonScriptFilePath: "a", communicationBackend: word } })).toBe(
      "job",
    );
  }
  expect(kindOf({ cntkSettings: { languageType: "BrainScript", configFilePath: "a" } })).toBe("job");
  expect(kindOf({ cntkSettings: { languageType: "python", pythonScriptFilePath: "a" } })).toBe("job");
});

describe("what Batch AI's schema refuses, we refuse", () => {
  const [, [, schema]] = peers as readonly [unknown, readonly [string, JsonSchema]];
  const definitions = schema.definitions ?? {};
  it.each([
    ["nodeCount", { nodeCount: "2" }],
    ["schedulingPriority", { schedulingPriority: "urgent" }],
    ["cluster", { cluster: {} }],
    ["stdOutErrPathPrefix", { stdOutErrPathPrefix: 7 }],
    ["inputDirectories", { inputDirectories: [{ id: "A" }] }],
    ["outputDirectories", { outputDirectories: [{ pathPrefix: "/a" }] }],
    ["environmentVariables", { environmentVariables: [{ name: "A" }] }],
    ["containerSettings", { containerSettings: {} }],
    ["containerSettings", { containerSettings: { imageSourceRegistry: { serverUrl: "x" } } }],
    ["horovodSettings", { horovodSettings: { processCount: 2 } }],
    ["customMpiSettings", { customMpiSettings: { commandLine: "a", processCount: true } }],
  ])("%s: %j", (name, change) => {
    const there = propertyOf(definitions["JobBaseProperties"] ?? {}, name);
    const value = (change as Readonly<Record<string, unknown>>)[name];
    expect(violates(value, there, definitions)).toBe(true);
    expect(
      kindOf({ ...(name.endsWith("Settings") && name !== "containerSettings" ? {} : toolkit), ...change }),
    ).toBe("faults");
  });

  it("and a document that it takes, we take", () => {
    const whole = { nodeCount: 1, stdOutErrPathPrefix: "/logs", cluster: { id: "a" }, ...toolkit };
    expect(violates(whole, definitions["JobBaseProperties"] ?? {}, definitions)).toBe(false);
    expect(kindOf({})).toBe("faults");
    expect(kindOf(toolkit)).toBe("job");
  });
});

const toolkit = { customMpiSettings: { commandLine: "a.out" } };

function kindOf(change: Readonly<Record<string, unknown>>): string {
  const properties = { nodeCount: 1, stdOutErrPathPrefix: "/logs", ...change };
  return parseJobDocument({ properties }).kind;
}

/** Follows references, and takes the real choice beside a template's expression. */
function resolve(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): JsonSchema {
  if (schema.$ref !== undefined) {
    const name = /^#\/definitions\/(\w+)$/.exec(schema.$ref)?.[1];
    const found = name === undefined ? undefined : definitions[name];
    if (found === undefined) throw new Error(`No definition for ${schema.$ref}`);
    return resolve(found, definitions);
  }
  const choice = schema.oneOf?.find(({ $ref }) => $ref === undefined || $ref.startsWith("#"));
  return choice === undefined ? schema : resolve(choice, definitions);
}

function propertyOf(schema: JsonSchema, name: string): JsonSchema {
  const found = schema.properties?.[name];
  if (found === undefined) throw new Error(`No property ${name}`);
  return found;
}

type Visit = (path: string, schema: JsonSchema) => void;

function walk(
  start: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
  visit: Visit,
  path = "",
): void {
  const schema = resolve(start, definitions);
  visit(path, schema);
  if (schema.items !== undefined) walk(schema.items, definitions, visit, `${path}[]`);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    walk(property, definitions, visit, path === "" ? name : `${path}.${name}`);
  }
}

function outline(
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): Record<string, string> {
  const found: Record<string, string> = {};
  walk(schema, definitions, (path, { type, properties }) => {
    found[path] = type ?? (properties === undefined ? "any" : "object");
  });
  return found;
}

function requiredPaths(
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): readonly string[] {
  const found: string[] = [];
  walk(schema, definitions, (path, { required }) => {
    for (const name of required ?? []) found.push(path === "" ? name : `${path}.${name}`);
  });
  return found.toSorted();
}

function enums(
  schema: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  walk(schema, definitions, (path, { enum: words }) => {
    if (words !== undefined) found[path] = words.toSorted();
  });
  return found;
}

/** The part of JSON Schema that Batch AI's job schema uses: types, words, required names, nested objects and lists. */
function violates(
  value: unknown,
  start: JsonSchema,
  definitions: Readonly<Record<string, JsonSchema>>,
): boolean {
  const schema = resolve(start, definitions);
  const type = Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
  const wanted = schema.type ?? (schema.properties === undefined ? type : "object");
  if (type !== wanted) return true;
  if (schema.enum !== undefined && !schema.enum.includes(String(value))) return true;
  if (Array.isArray(value)) return value.some((item) => violates(item, schema.items ?? {}, definitions));
  if (typeof value !== "object" || value === null) return false;
  const names = Object.keys(value);
  return (
    (schema.required ?? []).some((name) => !names.includes(name)) ||
    Object.entries(value).some(([name, inner]) => {
      const property = schema.properties?.[name];
      return property !== undefined && violates(inner, property, definitions);
    })
  );
}
