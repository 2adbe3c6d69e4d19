/** One thing wrong with an input: where, what was found, what would do. */
export interface Fault {
  /** Where in the document, e.g. `properties.customMpiSettings.processCount`; empty for the whole. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
}

/** `path: found X; allowed: Y` on one line. */
export function describeFault(fault: Fault): string {
  const where = fault.path === "" ? "job file" : fault.path;
  return `${where}: found ${fault.found}; allowed: ${fault.allowed}`;
}
