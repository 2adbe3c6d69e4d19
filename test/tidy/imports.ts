import { posix } from "node:path";
import { roomOf, rooms, type Room } from "./rooms.ts";
import { isTestCode, lineAt, type Complaint, type SourceFile } from "./source-file.ts";
import { moduleUses, parseModule, type ModuleUse } from "./syntax.ts";

/** Every import of `file` that its room may not make, and the file itself when it stands in no room. */
export function importComplaints(file: SourceFile, table: readonly Room[] = rooms): readonly Complaint[] {
  const room = roomOf(file.path, table);
  if (!room) {
    return [
      {
        path: file.path,
        what: "stands in no room",
        remedy:
          "Move it into the room it belongs to, or add its room to test/tidy/rooms.ts and ARCHITECTURE.md",
      },
    ];
  }
  return moduleUses(parseModule(file.path, file.text)).flatMap((use) => {
    const fault = faultOf(file.path, room, use, table);
    return fault ? [{ path: file.path, line: lineAt(file.text, use.offset), ...fault }] : [];
  });
}

function faultOf(
  from: string,
  room: Room,
  { specifier }: ModuleUse,
  table: readonly Room[],
): Pick<Complaint, "what" | "remedy"> | undefined {
  if (specifier === undefined) {
    if (room.name === "test") return undefined;
    return {
      what: "import() of a computed name",
      remedy: "Name the module in a string, so that the import rules can see it",
    };
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = posix.join(posix.dirname(from), specifier);
  if (isTestCode(target) && !isTestCode(from) && !room.mayImport.includes("test")) {
    return {
      what: `${from} is no test, but imports ${target}`,
      remedy: "Move what both need into a file of its own, or rename the importer to x.fixture.ts",
    };
  }
  const targetRoom = roomOf(target, table);
  if (targetRoom?.name === room.name) return undefined;
  if (targetRoom && room.mayImport.includes(targetRoom.name)) return undefined;
  const allowed = room.mayImport.length === 0 ? "no other room" : `only ${room.mayImport.join(", ")}`;
  return {
    what: `${room.name} may not import ${target} (${targetRoom ? `room ${targetRoom.name}` : "in no room"})`,
    remedy: `It may import ${allowed}; pass the value in from a room that may know both, or move the code`,
  };
}
