import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestDaemon, untilOrThrow } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

let mesh: TestMesh;
const joined: TestDaemon[] = [];
beforeAll(async () => {
  mesh = await TestMesh.start({ daemons: 3, slots: 2 });
});
afterAll(async () => {
  for (const daemon of joined) {
    await daemon.killNode();
    await daemon.removeTraces();
  }
  await mesh?.stop();
});

const daemon = (number: number): TestDaemon => {
  const found = mesh.daemons[number - 1];
  if (found === undefined) throw new Error(`there is no n${number}`);
  return found;
};

/** Makes a further machine join, as an operator would. */
async function joinNew(number: number): Promise<void> {
  const name = `n${number}`;
  const address = daemon(3).address.replace(/\.3:/, `.${number}:`);
  const folder = join(mesh.dir, name);
  const made = new TestDaemon({ name, address, folder, wrap: [], environment: {} });
  joined.push(made);
  const { token } = await mesh.client.createJoinToken();
  const place = ["--data", folder, "--name", name, "--advertise", address, "--slots", "2"];
  await made.run("join", token, "--no-start", ...place, "--context-dir", join(folder, "context"));
  await made.start();
}

const quick = (name: string): Readonly<Record<string, unknown>> => ({
  name,
  nodeCount: 1,
  slotsPerNode: 1,
  customToolkitSettings: { commandLine: "true" },
});

it("a mesh that lost a majority for good goes on with one survivor, and lets in no one from before", async () => {
  const done = await mesh.submit(quick("done-before"));
  await mesh.succeeded(done);
  const waiting = await mesh.submit({ ...quick("waits-for-three"), nodeCount: 3, slotsPerNode: 2 });
  await mesh.succeeded(waiting);

  const [first, second, survivor] = [daemon(1), daemon(2), daemon(3)];
  const running = await survivor.attempt("recover", "--data", survivor.folder, "--yes");
  expect(running).toMatchObject({
    code: 1,
    output: expect.stringContaining("in use by the daemon") as string,
  });
  await Promise.all([first.killNode(), second.killNode()]);
  const kept = `${first.folder}.kept`;
  renameSync(first.folder, kept);
  rmSync(second.folder, { recursive: true });
  await survivor.kill();

  const shown = await survivor.run("recover", "--data", survivor.folder);
  expect(shown).toMatch(/n3 \(member 3\) of mesh .* holds:\n {2}last entry {3}term \d+, index \d+\n/);
  expect(shown).toContain("jobs         2\n");
  expect(shown).toContain("Nothing was changed.");
  const told = await survivor.run("recover", "--data", survivor.folder, "--yes");
  expect(told).toContain("n3 is the only voter");
  expect(told).toContain("n1, n2 are left behind. Never start them on the old data folders");

  await survivor.start();
  await mesh.until(async () => (await mesh.client.voters()).members.length === 1, "n3 to lead alone");
  const alone = await mesh.client.voters();
  expect(alone).toMatchObject({
    members: [{ name: "n3", leader: true }],
    recoveryEpoch: 1,
    leftBehind: ["n1", "n2"],
  });
  const { jobs } = await mesh.client.jobs();
  expect(jobs.map(({ id, state }) => [id, state])).toEqual([
    [waiting, "succeeded"],
    [done, "succeeded"],
  ]);

  await joinNew(4);
  await joinNew(5);
  const names = async (): Promise<string> =>
    (await mesh.client.voters()).members
      .filter(({ role }) => role === "voter")
      .map(({ name }) => name)
      .join();
  await mesh.until(async () => (await names()) === "n3,n4,n5", "three voters again");
  await mesh.succeeded(await mesh.submit(quick("after")));

  // One of those left behind comes back with what it had.
  renameSync(kept, first.folder);
  await first.start().catch(() => undefined);
  await untilOrThrow(
    () => first.hasEnded,
    60_000,
    () => first.log(),
  );
  expect(first.log()).toMatch(
    /fatal: this mesh was recovered at \S+ without n1, whose data folder belongs to the mesh before; remove the data folder and join again under another name/,
  );
  expect(await names()).toBe("n3,n4,n5");
});
