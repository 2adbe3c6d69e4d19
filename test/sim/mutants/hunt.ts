import { tryOnce } from "../trial.ts";

/** Usage: node hunt.ts FROM LIMIT. Prints after how many seeds something failed, and what, as JSON. */
const [from, limit] = process.argv.slice(2).map(Number);
if (from === undefined || limit === undefined) throw new Error("usage: node hunt.ts FROM LIMIT");
let found: { readonly seeds: number | null; readonly invariant: string | null } = {
  seeds: null,
  invariant: null,
};
for (let seeds = 1; seeds <= limit && found.seeds === null; seeds++) {
  const { failure } = await tryOnce(from + seeds - 1);
  if (failure !== null) found = { seeds, invariant: failure.invariant };
}
console.log(JSON.stringify(found));
