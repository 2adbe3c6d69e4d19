import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { durationsMs, monotonicNs, RawLog, readRawLog, unanswered } from "./raw-log.ts";

describe("RawLog", () => {
  let folder = "";
  let path = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "gpumesh-raw-log-"));
    path = join(folder, "raw.jsonl");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("writes one line an event and reads them back in order of time", () => {
    const log = new RawLog(path);
    log.add("ack", { job: "job-1" }, 2_000);
    log.add("submit", { job: "job-1", size: 3 }, 1_000);
    log.close();
    expect(readFileSync(path, "utf8").split("\n")).toEqual([
      '{"event":"ack","at":2000,"job":"job-1"}',
      '{"event":"submit","at":1000,"job":"job-1","size":3}',
      "",
    ]);
    expect(readRawLog(path)).toEqual([
      { event: "submit", at: 1_000, job: "job-1", size: 3 },
      { event: "ack", at: 2_000, job: "job-1" },
    ]);
  });

  it("keeps every event when there are more than one write holds", () => {
    const log = new RawLog(path);
    for (let i = 0; i < 5_000; i += 1) log.add("submit", { job: `job-${i}`, name: "é" }, i);
    log.close();
    expect(readRawLog(path).map(({ at }) => at)).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  });

  it("stamps events with the monotonic clock", () => {
    const before = monotonicNs();
    const log = new RawLog(path);
    log.add("kill", { node: "node-1" });
    log.close();
    const [event] = readRawLog(path);
    expect(event?.at).toBeGreaterThanOrEqual(before);
    expect(event?.at).toBeLessThanOrEqual(monotonicNs());
  });

  it("empties a file of an earlier run", () => {
    appendFileSync(path, '{"event":"kill","at":1}\n');
    new RawLog(path).close();
    expect(readRawLog(path)).toEqual([]);
  });

  it.each(["{", '{"event":"nap","at":1}', '{"event":"submit"}', ""])(
    "names the line that is no event: %s",
    (line) => {
      appendFileSync(path, `{"event":"kill","at":1}\n${line}\n`);
      expect(() => readRawLog(path)).toThrow(`${path}:2 is no event`);
    },
  );
});

describe("durationsMs and unanswered", () => {
  const pair = { from: "submit", to: "ack", by: "job" } as const;

  it("pairs the first events of each job", () => {
    const events = [
      { event: "submit", at: 1_000_000, job: "a" },
      { event: "submit", at: 2_000_000, job: "b" },
      { event: "kill", at: 2_500_000, node: "n" },
      { event: "ack", at: 4_500_000, job: "b" },
      { event: "submit", at: 5_000_000, job: "a" },
      { event: "ack", at: 6_000_000, job: "a" },
      { event: "ack", at: 9_000_000, job: "a" },
      { event: "submit", at: 9_500_000, job: "c" },
    ] as const;
    expect(durationsMs(events, pair)).toEqual([5, 2.5]);
    expect(unanswered(events, pair)).toEqual(["c"]);
  });

  it("does not take an answer that came first", () => {
    const events = [
      { event: "ack", at: 1, job: "a" },
      { event: "submit", at: 2, job: "a" },
    ] as const;
    expect(durationsMs(events, pair)).toEqual([]);
    expect(unanswered(events, pair)).toEqual(["a"]);
  });
});
