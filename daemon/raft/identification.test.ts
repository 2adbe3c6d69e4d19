import { cp, rm } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { proposeSurely, TestGroup } from "./driver.fixture.ts";

const ALL = [1, 2, 3];

let group: TestGroup;

beforeEach(async () => {
  group = new TestGroup();
  await group.startAll(ALL);
  await proposeSurely(group, "before the image");
});

afterEach(() => group.close());

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Stops a member, keeps an image of its log, and starts it again. */
async function keepImage(id: number): Promise<string> {
  await group.stop(id);
  const image = `${group.folderOf(id)}.image`;
  await cp(group.folderOf(id), image, { recursive: true });
  await group.start(id);
  return image;
}

async function putBack(id: number, image: string): Promise<void> {
  await rm(group.folderOf(id), { recursive: true });
  await cp(image, group.folderOf(id), { recursive: true });
}

async function follower(): Promise<number> {
  const { id } = await group.leader();
  return ALL.find((each) => each !== id)!;
}

describe("a member whose log is put back to an older image", () => {
  it("ends with what to do, and does not start again; the others go on", async () => {
    const id = await follower();
    const image = await keepImage(id);
    await proposeSurely(group, "forgotten");
    await group.converge();
    await group.stop(id);
    await putBack(id, image);
    const { fatal } = await group.start(id);
    await vi.waitFor(() => expect(fatal).toHaveLength(1), { timeout: 10_000 });
    expect(fatal[0]).toMatchObject({ code: "refused" });
    expect(fatal[0]?.message).toMatch(/the mesh refuses the raft log in .*join anew: gpumesh join/s);
    const others = ALL.filter((each) => each !== id);
    const { driver } = await group.leader(others);
    await driver.propose(bytes("after"));
    expect(driver.status().refusals.incarnation).toBeGreaterThan(0);
    await group.stop(id);
    await expect(group.start(id)).rejects.toMatchObject({ code: "refused" });
  });

  it("counts for nothing while only one peer, which knows, is there", async () => {
    const id = await follower();
    const image = await keepImage(id);
    const { id: leader } = await group.leader();
    const away = ALL.find((each) => each !== id && each !== leader)!;
    await group.stop(away);
    await proposeSurely(group, "known to the leader alone");
    await group.stop(id);
    await group.stop(leader);
    await putBack(id, image);
    await group.start(leader);
    const { driver, fatal } = await group.start(id);
    await vi.waitFor(
      () => expect(driver.status().refusedBy.get(leader)).toMatchObject({ reason: "incarnation" }),
      {
        timeout: 10_000,
      },
    );
    // Ten election timeouts later, nobody leads by its vote.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect([driver.status().leader, group.member(leader).driver.status().role]).not.toContain("leader");
    expect(driver.leadsWithAppliedNoop()).toBe(false);
    expect(fatal).toEqual([]);
    // The third one completes the quorum, and what was acknowledged is there.
    await group.start(away);
    await proposeSurely(group, "after");
    await vi.waitFor(() => {
      const texts = group.member(away).applied.map((line) => line.slice(line.indexOf(":") + 1));
      expect(texts).toEqual(["before the image", "known to the leader alone", "after"]);
    });
    await vi.waitFor(() => expect(fatal).toHaveLength(1), { timeout: 10_000 });
  });
});

it("a member that starts again and again on its own log is let in each time", async () => {
  const id = await follower();
  for (let nth = 0; nth < 5; nth++) {
    await group.stop(id);
    await proposeSurely(group, `while away ${nth}`);
    await group.start(id);
    await group.converge();
  }
  for (const { driver } of group.members) {
    expect(driver.status().refusedBy.size).toBe(0);
    expect(Object.values(driver.status().refusals).every((count) => count === 0)).toBe(true);
  }
});
