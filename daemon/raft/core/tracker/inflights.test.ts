import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Inflights } from "./inflights.ts";

describe("inflights", () => {
  it("is full at the limit of messages", () => {
    const inflights = new Inflights(2, Infinity);
    inflights.add(3, 10);
    expect(inflights.full).toBe(false);
    inflights.add(5, 10);
    expect(inflights.full).toBe(true);
    expect(() => inflights.add(6, 10)).toThrow("cannot add into a Full inflights");
  });

  it("is full at the limit of bytes, which one message may overshoot", () => {
    const inflights = new Inflights(100, 1000);
    inflights.add(1, 999);
    expect(inflights.full).toBe(false);
    inflights.add(2, 5000);
    expect(inflights.full).toBe(true);
    inflights.freeLE(1);
    expect(inflights.full).toBe(true);
    inflights.freeLE(2);
    expect(inflights.full).toBe(false);
  });

  it("frees what is acknowledged and nothing else", () => {
    const inflights = new Inflights(10, Infinity);
    for (const index of [2, 4, 6, 8]) inflights.add(index, 1);
    inflights.freeLE(1);
    expect(inflights.count).toBe(4);
    inflights.freeLE(5);
    expect(inflights.count).toBe(2);
    inflights.freeLE(100);
    expect(inflights.count).toBe(0);
  });

  it("starts anew after a reset, with the same limits", () => {
    const inflights = new Inflights(1, 10);
    inflights.add(1, 10);
    inflights.reset();
    expect(inflights.full).toBe(false);
    inflights.add(1, 1);
    expect(inflights.full).toBe(true);
  });

  it("counts messages and bytes as a plain list does", () => {
    const steps = fc.array(fc.oneof(fc.record({ add: fc.nat(50) }), fc.record({ free: fc.nat(40) })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 120 }),
        (list, maxCount, maxBytes) => {
          const inflights = new Inflights(maxCount, maxBytes);
          let model: { index: number; bytes: number }[] = [];
          let lastIndex = 0;
          for (const step of list) {
            if ("free" in step) {
              inflights.freeLE(step.free);
              model = model.filter(({ index }) => index > step.free);
            } else if (!inflights.full) {
              lastIndex += 1;
              inflights.add(lastIndex, step.add);
              model.push({ index: lastIndex, bytes: step.add });
            }
            const bytes = model.reduce((sum, each) => sum + each.bytes, 0);
            expect(inflights.count).toBe(model.length);
            expect(inflights.full).toBe(model.length >= maxCount || bytes >= maxBytes);
          }
        },
      ),
    );
  });
});
