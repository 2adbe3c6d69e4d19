import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectMesh, readContext, type Mesh } from "../../cli/client/client.ts";
import { HELD_POOL, SubmitLoad } from "./submit-load.ts";
import type { TestDaemon } from "./test-daemon.ts";
import { TestMesh } from "./test-mesh.ts";

const stallMs = 3_000;
/** A follower that took its own stall for its leader's silence would begin an election within two election timeouts. */
const calmMs = 2_500;
const perSecond = 20;

describe("a daemon that stands still for 3 s under a load of submits", () => {
  let mesh: TestMesh;
  let load: SubmitLoad;
  /** One client of each daemon alone, by its name. */
  const clients = new Map<string, Mesh>();

  beforeAll(async () => {
    mesh = await TestMesh.start({
      daemons: 3,
      slots: 2,
      pool: (number) => (number === 3 ? HELD_POOL : "default"),
    });
    const context = await readContext(mesh.contextDir);
    for (const { name, address } of mesh.daemons)
      clients.set(name, await connectMesh({ context: { ...context, addresses: [address] } }));
    load = await SubmitLoad.start(mesh, { perSecond });
  });
  afterAll(async () => {
    for (const client of clients.values()) client.close();
    await mesh?.stop();
  });

  it.each(["n1", "n2", "n3"])("disturbs nobody when it goes on: %s", (name) => stall(mesh.daemon(name)));

  it("disturbs nobody when it goes on: the leader of then", async () => stall(await mesh.leader()));

  it("has lost no acknowledged submit and doubled none", async () => {
    await load.stop();
    const { acknowledged, lost, doubled } = await load.count();
    expect(acknowledged).toBeGreaterThan(100);
    expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  });

  async function stall(daemon: TestDaemon): Promise<void> {
    const others = mesh.daemons.filter((other) => other !== daemon);
    const before = await standing(daemon);
    const led = before.leader === daemon.name;
    const elections = electionsWon();

    daemon.pause();
    await delay(stallMs);
    if (led) {
      await mesh.until(async () => (await standing(others[0]!)).leader !== daemon.name, "another leader");
      // One change, however many terms it took.
      expect(electionsWon()).toBe(elections + 1);
    }
    const during = await standing(others[0]!);
    if (!led) expect(during).toEqual(before);

    const wanted = Math.max(...others.map((other) => other.syncedIndex()));
    const acknowledged = load.acknowledged;
    daemon.resume();
    await mesh.until(() => daemon.syncedIndex() >= wanted, `${daemon.name} to have what it missed`);
    if (led) {
      const quietly = `no longer leading (term ${before.term})`;
      await mesh.until(() => daemon.log().includes(quietly), `${daemon.name} to step down`);
    }
    const calmUntil = performance.now() + calmMs;
    while (performance.now() < calmUntil)
      for (const each of mesh.daemons) expect(await standing(each)).toEqual(during);
    await mesh.until(() => load.acknowledged > acknowledged, "a submit to be acknowledged");
  }

  /** What this daemon, or the one that it takes for the leader, says. */
  async function standing(daemon: TestDaemon): Promise<{ readonly leader: string; readonly term: number }> {
    const client = clients.get(daemon.name);
    if (client === undefined) throw new Error(`there is no client of ${daemon.name}`);
    const { leader, term } = await client.status();
    return { leader, term };
  }

  /** By the word of those who won. */
  function electionsWon(): number {
    return mesh.daemons.reduce((sum, daemon) => sum + daemon.log().split("leading in term").length - 1, 0);
  }
});
