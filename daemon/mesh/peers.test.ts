import { connectivityState } from "@grpc/grpc-js";
import type { Channel } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openChannel } from "./channels.ts";
import { Directory } from "./directory.ts";
import type { Member } from "./directory.ts";
import { makeMesh } from "./listener.fixture.ts";
import { Peers } from "./peers.ts";

const mesh = makeMesh("mesh");
let directory: Directory;
let peers: Peers;
let opened: { readonly address: string; readonly channel: Channel }[];

beforeEach(async () => {
  const identity = await (await mesh).issue("daemon", "one");
  directory = new Directory("mesh", [member("two", "127.0.0.1:9"), member("three", "")]);
  opened = [];
  peers = new Peers(directory, ({ name, address }) => {
    const channel = openChannel({ address, peerName: name, identity });
    opened.push({ address, channel });
    return channel;
  });
});

afterEach(() => peers.stop());

function member(name: string, address: string): Member {
  return { name, number: name.length, address, raftRole: "client" };
}

function isOpen(nth: number): boolean {
  return opened[nth]?.channel.getConnectivityState(false) !== connectivityState.SHUTDOWN;
}

describe("peers", () => {
  it("keep one line to each member, opened when it is first asked for", () => {
    expect(opened).toEqual([]);
    const line = peers.line("two");
    expect(line).not.toBeNull();
    expect(peers.line("two")).toBe(line);
    expect(opened.map(({ address }) => address)).toEqual(["127.0.0.1:9"]);
  });

  it("have no line to a member without an address, nor to a stranger", () => {
    expect([peers.line("three"), peers.line("stranger")]).toEqual([null, null]);
    expect(opened).toEqual([]);
  });

  it("open another line when the address changes, and close the one before", () => {
    const before = peers.line("two");
    directory.replace([member("two", "127.0.0.1:10")]);
    expect(peers.line("two")).not.toBe(before);
    expect(opened.map(({ address }) => address)).toEqual(["127.0.0.1:9", "127.0.0.1:10"]);
    expect([isOpen(0), isOpen(1)]).toEqual([false, true]);
    directory.replace([]);
    expect(peers.line("two")).toBeNull();
    expect(isOpen(1)).toBe(false);
  });

  it("close all lines when they stop", () => {
    peers.line("two");
    peers.stop();
    expect(isOpen(0)).toBe(false);
  });
});
