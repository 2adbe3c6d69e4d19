import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestMesh } from "../cluster/test-mesh.ts";
import { writeFakeNvidiaSmi } from "./fake-nvidia-smi.ts";
import { readSample, samplePath } from "./nvidia-smi/samples.ts";

const eightGpus = "xml/nvidia-k8stest-hw-qx-h100.xml";
const twoGpus = "xml/nvidia-k8stest-mock-qx-a100-healthy.xml";
/** A small program of a rank: which GPUs it was given, on which node. */
const tellGpus = 'echo "$GPUMESH_NODE $RANK $AZ_BATCHAI_NUM_GPUS $CUDA_VISIBLE_DEVICES"';

describe("gangs on three nodes with GPUs", () => {
  let folder = "";
  let mesh: TestMesh;
  /** The uuids that each node's nvidia-smi names. */
  let uuids: readonly (readonly string[])[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gm-gpus-"));
    const first = readSample(eightGpus);
    // The same machine type once more, with GPUs of its own.
    const second = first.replaceAll(/(?<=<uuid>GPU-)[0-9a-f]{2}/g, "ee");
    const copy = join(folder, "other-eight.xml");
    writeFileSync(copy, second);
    const documents = [samplePath(eightGpus), copy, samplePath(twoGpus)];
    uuids = [first, second, readSample(twoGpus)].map(uuidsIn);
    for (const [index, xml] of documents.entries()) {
      await writeFakeNvidiaSmi(join(folder, `bin-${index + 1}`), { xml });
    }
    mesh = await TestMesh.start({
      daemons: 3,
      slots: 8,
      environment: (number) => ({ PATH: `${join(folder, `bin-${number}`)}:${process.env["PATH"] ?? ""}` }),
    });
  });
  afterAll(async () => {
    await mesh?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("the inventory names each GPU of each node", async () => {
    const nodes = await mesh.client.nodes();
    expect(nodes.map(({ gpus }) => gpus.map(({ uuid }) => uuid))).toEqual(uuids);
    expect(nodes.map(({ gpus }) => gpus.length)).toEqual([8, 8, 2]);
    expect(new Set(uuids.flat()).size).toBe(18);
    expect(nodes.flatMap(({ gpus }) => gpus).every(({ healthy }) => healthy)).toBe(true);
    expect(await mesh.client.status()).toMatchObject({ gpus: 18, gpusUsed: 0 });
  });

  it("two nodes with 8 GPUs each give a gang its 16, and the next such gang waits for them", async () => {
    const finish = join(folder, "finish");
    const first = await submitGang("first", `${tellGpus}; while [ ! -e ${finish} ]; do sleep 0.05; done`);
    await mesh.inState(first, "running");
    const second = await submitGang("second", tellGpus);

    const waiting = await mesh.client.job(second);
    expect(waiting).toMatchObject({ state: "queued", wait: { nodesNeeded: 2, nodesAvailable: 0 } });
    expect(waiting.reason).toContain("needs 2 nodes");
    expect(waiting.reason).toContain("0 of 3 nodes fit now");
    for (const node of ["n1", "n2"]) {
      const wait = waiting.wait?.nodes.find((entry) => entry.node === node);
      expect(wait).toMatchObject({ fits: false });
      expect(wait?.reason).toContain(`job ${first}`);
      expect(wait?.reason).toMatch(/\b8\b/);
    }
    expect(waiting.wait?.nodes.find(({ node }) => node === "n3")?.reason).toMatch(/\b2\b/);
    const held = (await mesh.client.nodes()).map(({ gpus }) => gpus.map(({ jobId }) => jobId));
    expect(held).toEqual([Array(8).fill(first), Array(8).fill(first), [0, 0]]);

    writeFileSync(finish, "");
    expect((await mesh.succeeded(first)).attempts).toHaveLength(1);
    const { attempts, startedAtMs } = await mesh.succeeded(second);
    expect(attempts).toHaveLength(1);
    expect(startedAtMs).toBeGreaterThanOrEqual((await mesh.client.job(first)).endedAtMs);
    for (const job of [first, second]) await expectAllSixteen(job);
    expect(await mesh.client.status()).toMatchObject({ gpus: 18, gpusUsed: 0 });
  });

  it("jobs that share a node get different GPUs of it", async () => {
    const finish = join(folder, "share.finish");
    const line = `echo "$CUDA_VISIBLE_DEVICES"; while [ ! -e ${finish} ]; do sleep 0.05; done`;
    const share = { gpusPerNode: 3, customToolkitSettings: { commandLine: line } };
    const ids = [];
    for (const name of ["a", "b"]) ids.push(await mesh.submit({ name, ...share }));
    for (const id of ids) await mesh.inState(id, "running");
    writeFileSync(finish, "");
    const given: string[] = [];
    for (const id of ids) {
      const { attempts } = await mesh.succeeded(id);
      expect(attempts[0]?.parts.map(({ node }) => node)).toEqual(["n1"]);
      given.push(...(await mesh.log(id)).trimEnd().split(","));
    }
    expect(new Set(given).size).toBe(6);
    for (const uuid of given) expect(uuids[0]).toContain(uuid);
  });

  it("a job for more GPUs than any node has is refused with the most there is", async () => {
    const job = { name: "nine", gpusPerNode: 9, customToolkitSettings: { commandLine: "true" } };
    const result = await mesh.client.submit(JSON.stringify(job));
    expect(result).toMatchObject({ kind: "faults", faults: [{ found: "9" }] });
    expect(JSON.stringify(result)).toContain("at most 8: no node of pool default has more");
  });

  function submitGang(name: string, line: string): Promise<number> {
    const script = join(folder, `${name}.sh`);
    writeFileSync(script, `${line}\n`);
    const toolkit = { pythonInterpreterPath: "/bin/sh", pythonScriptFilePath: script };
    return mesh.submit({ name, nodeCount: 2, gpusPerNode: 8, pyTorchSettings: toolkit });
  }

  async function expectAllSixteen(job: number): Promise<void> {
    const [one, two] = (await mesh.log(job))
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" "));
    expect([one?.slice(0, 3), two?.slice(0, 3)]).toEqual([
      ["n1", "0", "8"],
      ["n2", "1", "8"],
    ]);
    expect([one?.[3]?.split(","), two?.[3]?.split(",")]).toEqual(uuids.slice(0, 2));
  }
});

/** In the order of the document. */
function uuidsIn(xml: string): readonly string[] {
  return [...xml.matchAll(/<uuid>(GPU-[^<]+)<\/uuid>/g)].map(([, uuid = ""]) => uuid);
}
