import { describe, expect, it } from "vitest";
import { Directory } from "./directory.ts";
import type { Member } from "./directory.ts";
import { directoryMessage, membersOf } from "./directory-wire.ts";

const one: Member = { name: "one", number: 1, address: "one:1", raftRole: "voter" };
const two: Member = { name: "two", number: 2, address: "", raftRole: "client" };

describe("a directory", () => {
  it("finds its members by name and by number", () => {
    const directory = new Directory("mesh", [one, two]);
    expect([directory.byName("two"), directory.byNumber(1)]).toEqual([two, one]);
    expect([directory.byName("three"), directory.byNumber(3)]).toEqual([undefined, undefined]);
  });

  it("tells of changes only, in whatever order its members come, to those who still listen", () => {
    const directory = new Directory("mesh", []);
    let heard = 0;
    const stop = directory.onChange(() => (heard += 1));
    directory.replace([two, one]);
    directory.replace([one, two]);
    expect(heard).toBe(1);
    expect(directory.members()).toEqual([one, two]);
    directory.replace([one, { ...two, raftRole: "learner" }]);
    expect(heard).toBe(2);
    stop();
    directory.replace([]);
    expect(heard).toBe(2);
  });

  it("survives the wire; a role of a newer version is a client's", () => {
    const { meshId, nodes } = directoryMessage("mesh", [one, two]);
    const entries = (nodes ?? []).map((entry) => ({
      name: String(entry.name),
      number: Number(entry.number),
      address: String(entry.address),
      raftRole: String(entry.raftRole),
    }));
    expect(meshId).toBe("mesh");
    expect(membersOf({ meshId: "mesh", nodes: entries })).toEqual([one, two]);
    const [member] = membersOf({
      meshId: "mesh",
      nodes: entries.map((it) => ({ ...it, raftRole: "witness" })),
    });
    expect(member?.raftRole).toBe("client");
  });
});
