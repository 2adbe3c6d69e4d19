import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { jobId } from "../../scheduler/model/ids.ts";
import { assignedEntry, attemptOf, cleanUp, jobSpec, temporaryFolder } from "./agent.fixture.ts";
import type { LedgerEntry } from "./ledger.ts";
import { Ledger, LedgerError } from "./ledger.ts";

afterEach(cleanUp);

function tombstone(job: number): LedgerEntry {
  return { kind: "tombstone", job: jobId(job), attemptNumber: 1, fence: { epoch: 0, index: job } };
}

describe("a ledger", () => {
  it("holds after a restart what was written last", async () => {
    const dir = temporaryFolder();
    const ledger = await Ledger.open(dir);
    const entry = await assignedEntry({ spec: jobSpec(1, 4) });
    const exits = [{ command: "task-0", code: 1, endedBy: "itself", reason: null }] as const;
    await ledger.write(entry);
    await ledger.write({ ...entry, kind: "started" });
    await ledger.write({ ...entry, kind: "stopped", exits });
    await ledger.write(tombstone(8));
    const again = await Ledger.open(dir);
    expect(again.entries()).toEqual([{ ...entry, kind: "stopped", exits }, tombstone(8)]);
    expect(again.entries()).toEqual(ledger.entries());
    expect(again.get("7.1")).toEqual({ ...entry, kind: "stopped", exits });
    expect(again.get("7.2")).toBeUndefined();
  });

  it("knows the newest attempt of each job", async () => {
    const ledger = await Ledger.open(temporaryFolder());
    expect(ledger.newestAttempt(jobId(7))).toBe(0);
    const attempt = await attemptOf();
    await ledger.write(await assignedEntry({ attempt: { ...attempt, number: 3 } }));
    await ledger.write({ ...tombstone(7), kind: "tombstone", attemptNumber: 2 } as LedgerEntry);
    await ledger.write(tombstone(9));
    expect(ledger.newestAttempt(jobId(7))).toBe(3);
    expect(ledger.newestAttempt(jobId(9))).toBe(1);
  });

  it("refuses a lower term for ever once a higher one was accepted", async () => {
    const dir = temporaryFolder();
    const ledger = await Ledger.open(dir);
    expect(await ledger.acceptTerm(3)).toBe(true);
    expect(await ledger.acceptTerm(3)).toBe(true);
    expect(await ledger.acceptTerm(2)).toBe(false);
    const again = await Ledger.open(dir);
    expect(again.highestTerm()).toBe(3);
    expect(await again.acceptTerm(2)).toBe(false);
    expect(await again.acceptTerm(4)).toBe(true);
  });

  it("does not take a term, or an entry, for known that it could not write", async () => {
    const dir = join(temporaryFolder(), "ledger");
    const ledger = await Ledger.open(dir);
    await rename(dir, `${dir}.away`);
    await expect(ledger.acceptTerm(3)).rejects.toThrow("ENOENT");
    await expect(ledger.write(tombstone(1))).rejects.toThrow("ENOENT");
    expect(ledger.highestTerm()).toBe(0);
    expect(ledger.entries()).toEqual([]);
    await rename(`${dir}.away`, dir);
    expect(await ledger.acceptTerm(3)).toBe(true);
    expect((await Ledger.open(dir)).highestTerm()).toBe(3);
  });

  it("forgets the oldest that are stopped, and never what may run", async () => {
    const dir = temporaryFolder();
    const ledger = await Ledger.open(dir, 3);
    const running = await assignedEntry({ kind: "started", job: jobId(1) });
    await ledger.write(running);
    for (const job of [2, 9, 10, 11]) await ledger.write(tombstone(job));
    expect(ledger.entries().map(({ job }) => job)).toEqual([1, 10, 11]);
    const again = await Ledger.open(dir, 3);
    expect(again.entries().map(({ job }) => job)).toEqual([1, 10, 11]);
    await again.write(tombstone(12));
    expect(again.entries().map(({ job }) => job)).toEqual([1, 11, 12]);
  });

  it("orders jobs by number when it opens, so that the oldest are forgotten first", async () => {
    const dir = temporaryFolder();
    const ledger = await Ledger.open(dir);
    for (const job of [100, 9, 10]) await ledger.write(tombstone(job));
    expect((await Ledger.open(dir)).entries().map(({ job }) => job)).toEqual([9, 10, 100]);
  });

  it("clears away what a crash left half written", async () => {
    const dir = temporaryFolder();
    await writeFile(join(dir, "7.1.json.tmp"), '{"kind":"sta');
    await writeFile(join(dir, "term.tmp"), "");
    const ledger = await Ledger.open(dir);
    expect(ledger.entries()).toEqual([]);
    expect(await readdir(dir)).toEqual([]);
  });

  it.each([
    ["7.1.json", "", "not a JSON document"],
    ["7.1.json", '{"kind":"started"}', "can not be read"],
    ["7.1.json", '{"kind":"tombstone","job":7,"attemptNumber":1,"fence":null}', "can not be read"],
    ["term", "", "can not be read"],
    ["term", "12", "can not be read"],
    ["term", "-1\n", "can not be read"],
  ])("does not open on a damaged %s that reads %j", async (name, content, why) => {
    const dir = temporaryFolder();
    await writeFile(join(dir, name), content);
    const opening = Ledger.open(dir);
    await expect(opening).rejects.toThrow(LedgerError);
    await expect(opening).rejects.toThrow(join(dir, name));
    await expect(opening).rejects.toThrow(why);
  });

  it("does not open on an entry whose attempt is damaged", async () => {
    const dir = temporaryFolder();
    const entry = await assignedEntry();
    const attempt = { ...entry.attempt, number: "one" };
    await writeFile(join(dir, "7.1.json"), JSON.stringify({ ...entry, attempt }));
    await expect(Ledger.open(dir)).rejects.toThrow("number");
  });
});
