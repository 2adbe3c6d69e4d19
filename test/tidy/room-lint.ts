import { posix } from "node:path";
import type { Room } from "./rooms.ts";

/** The part of the import rules that an editor can show: patterns for oxlint's no-restricted-imports, for one room. */
export type ImportPattern = { readonly regex: string; readonly message: string };

/**
 * A pattern for each room that `room` may not import. oxlint sees only the text of an import, not where it leads, so a
 * pattern fits any number of further steps up: a file deeper in the room writes more of them. What leads to a folder
 * above the room, as from raft/core to raft, cannot be told from a step within the room and is left to
 * test/tidy.test.ts.
 */
export function importPatterns(room: Room, table: readonly Room[]): readonly ImportPattern[] {
  return table
    .filter(({ name }) => name !== room.name && !room.mayImport.includes(name))
    .flatMap(({ name }) => {
      const [, up = "", down = ""] = /^((?:\.\.\/)*)(.*)$/.exec(posix.relative(folderOf(room), name)) ?? [];
      if (down === "" || down === "..") return [];
      const steps = up.length / "../".length;
      const start = steps === 0 ? "\\./" : `(?:\\.\\./){${steps},}`;
      const message = `${room.name} may not import ${name}; test/tidy/rooms.ts says what it may.`;
      return [{ regex: `^${start}${down.replaceAll(".", "\\.")}[./]`, message }];
    });
}

/** The files of `room`, as globs for an override. */
export function filesOf({ name }: Room): string[] {
  return [`${name}/**`, `${name}.ts`, `${name}.*.ts`];
}

/** A room that is a file stands in its parent folder. */
function folderOf({ name }: Room): string {
  return fileRooms.has(name) ? posix.dirname(name) : name;
}

const fileRooms = new Set(["scheduler/cycle", "daemon/main", "oxlint.config", "vitest.config"]);
