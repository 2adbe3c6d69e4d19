import { reportLimits } from "./report.ts";

/**
 * Readers of single values. Any of them can be `N/A`, `[N/A]`, `Not Supported`, `Unknown Error`, `GPU is lost` and
 * the like in place of a value; whatever is not of the wanted form reads as null.
 */

export type Unit = "MiB" | "W" | "C" | "%";

/** `81559 MiB` -> 81559. Drivers of the 300 series wrote `MB` for the same unit. */
export function quantityOf(text: string | null, unit: Unit): number | null {
  const match = /^(-?\d{1,12}(?:\.\d{1,6})?) ?(MiB|MB|W|C|%)$/.exec(text ?? "");
  if (match === null) return null;
  const written = match[2] === "MB" ? "MiB" : match[2];
  return written === unit ? Number(match[1]) : null;
}

/** A whole number without unit, such as a count, an id or a process id. */
export function countOf(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Yes and no in the forms of the several drivers. */
export function flagOf(text: string | null): boolean | null {
  switch (text) {
    case "Yes":
    case "True":
    case "Active":
    case "Enabled":
      return true;
    case "No":
    case "False":
    case "Not Active":
    case "Disabled":
      return false;
    default:
      return null;
  }
}

/** A word or name; null where the driver gives none. */
export function wordOf(text: string | null): string | null {
  if (text === null) return null;
  const bare = withoutBrackets(text);
  if (bare === "" || absentWords.has(bare.toLowerCase()) || faultOf(text) !== null) return null;
  return bare.slice(0, reportLimits.wordCharsMax);
}

export type LeafFault = "GPU is lost" | "GPU requires reset" | "Unknown Error";

/** The failure that stands in place of a value, in or without square brackets. */
export function faultOf(text: string): LeafFault | null {
  switch (withoutBrackets(text).toLowerCase()) {
    case "gpu is lost":
      return "GPU is lost";
    case "gpu requires reset":
      return "GPU requires reset";
    case "unknown error":
    case "err!":
      return "Unknown Error";
    default:
      return null;
  }
}

const absentWords: ReadonlySet<string> = new Set([
  "n/a",
  "not found",
  "not supported",
  "function not found",
  "insufficient permissions",
  "requested functionality has been deprecated",
]);

function withoutBrackets(text: string): string {
  return text.replace(/^\[(.*)\]$/s, "$1").trim();
}
