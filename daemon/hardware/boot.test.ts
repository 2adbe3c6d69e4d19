import { describe, expect, it } from "vitest";
import { bootClockMs, parseUptimeMs, readBootId } from "./boot.ts";

describe("boot", () => {
  it("reads an uptime exactly", () => {
    expect(parseUptimeMs("1318.07 2556.33\n")).toBe(1_318_070);
    expect(parseUptimeMs("0.00 0.00\n")).toBe(0);
    for (const text of ["", "1318 2556\n", "-1.00 2.00", "1.5 2", "x"]) {
      expect(() => parseUptimeMs(text)).toThrow("no uptime");
    }
  });

  it("reads a clock that runs as fast as the monotonic one", () => {
    const bootBefore = bootClockMs();
    const monotonicBefore = performance.now();
    while (performance.now() - monotonicBefore < 100);
    const elapsed = bootClockMs() - bootBefore;
    expect(elapsed).toBeGreaterThanOrEqual(80);
    expect(elapsed).toBeLessThanOrEqual(performance.now() - monotonicBefore + 20);
  });

  it("reads the same boot id each time", () => {
    expect(readBootId()).toMatch(/^[0-9a-f-]{36}$/);
    expect(readBootId()).toBe(readBootId());
  });
});
