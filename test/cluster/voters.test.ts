import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestMesh } from "./test-mesh.ts";

describe("the voters of a mesh of four", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await TestMesh.start({ daemons: 4, slots: 1 });
  });
  afterAll(() => mesh?.stop());

  const voters = async (): Promise<string> => {
    const { members, doing } = await mesh.client.voters();
    const names = members.filter(({ role }) => role === "voter").map(({ name }) => name);
    return members.length === names.length && doing === "" ? names.join() : "in between";
  };
  const untilVoters = (names: string): Promise<void> =>
    mesh.until(async () => (await voters()) === names, `the voters ${names}`);

  it("are three; the lead goes to the one that is named, once for each call", async () => {
    await untilVoters("n1,n2,n3");
    const { term } = await mesh.client.status();
    const other = (await mesh.client.status()).leader === "n2" ? "n3" : "n2";
    expect(await mesh.client.transferLeader(other)).toBe(other);
    const after = await mesh.client.status();
    expect(after.leader).toBe(other);
    expect(after.term).toBeGreaterThan(term);
    await expect(mesh.client.transferLeader("n4")).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
  });

  it("lose the one that is demoted to another node, also when it leads", async () => {
    const { leader } = await mesh.client.status();
    await mesh.client.setVote(leader, "barred");
    await untilVoters(["n1", "n2", "n3", "n4"].filter((name) => name !== leader).join());
    expect((await mesh.client.status()).leader).not.toBe(leader);
    await mesh.client.setVote(leader, "automatic");
    await expect(mesh.client.setVote("n9", "barred")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("are three again after one has died for long enough", async () => {
    await mesh.client.configure({ voterReplaceAfterMs: 1_000 });
    const before = (await voters()).split(",");
    const spare = ["n1", "n2", "n3", "n4"].find((name) => !before.includes(name)) ?? "";
    const { leader } = await mesh.client.status();
    const dying = before.find((name) => name !== leader) ?? "";
    await mesh.daemons.find(({ name }) => name === dying)?.killNode();
    await untilVoters([...before.filter((name) => name !== dying), spare].toSorted().join());
  });

  it("are not fewer, whatever is asked: the refusal has the arithmetic", async () => {
    const [first = "", ...rest] = (await voters()).split(",");
    await expect(mesh.client.setVote(first, "barred")).rejects.toMatchObject({
      code: "FAILED_PRECONDITION",
      message: expect.stringContaining(`demoting ${first} leaves 2 voters, ${rest.join(", ")}`) as string,
    });
  });
});
