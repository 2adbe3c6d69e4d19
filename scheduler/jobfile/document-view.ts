/** Takes one fault: where below the job's properties, what was found, what is allowed. */
export type Report = (path: string, found: string, allowed: string) => void;

/** Reads an object of the document without trusting its types: what has another type counts as missing. */
export interface DocumentView {
  has(name: string): boolean;
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  boolean(name: string): boolean | undefined;
  object(name: string): DocumentView | null;
  /** Empty when it is no list; an entry is null when it is no object. */
  list(name: string): readonly (DocumentView | null)[];
}

/** Null when the value is no object. */
export function documentView(value: unknown): DocumentView | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const get = (name: string): unknown =>
    Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  const typed = <T>(name: string, is: (found: unknown) => found is T): T | undefined => {
    const found = get(name);
    return is(found) ? found : undefined;
  };
  return {
    has: (name) => get(name) !== undefined,
    text: (name) => typed(name, (found) => typeof found === "string"),
    number: (name) => typed(name, (found) => typeof found === "number"),
    boolean: (name) => typed(name, (found) => typeof found === "boolean"),
    object: (name) => documentView(get(name)),
    list: (name) => typed(name, (found) => Array.isArray(found))?.map(documentView) ?? [],
  };
}
