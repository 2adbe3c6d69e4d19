import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interfaceOfAddress, isLinkLocalV6, subnetOf } from "./interfaces.ts";

const loopback = { name: "lo", address: "127.0.0.1" };
const ethernet = { name: "eth0", address: "10.0.0.7" };
const second = { name: "eth0", address: "10.0.0.8" };
const six = { name: "eth0", address: "fd00::2" };
const all = [loopback, { name: "lo", address: "::1" }, ethernet, second, six];

describe("interfaceOfAddress", () => {
  it.each([
    ["10.0.0.7", ethernet],
    ["10.0.0.8", second],
    ["::ffff:10.0.0.7", ethernet],
    ["127.0.0.1", loopback],
    ["127.83.0.9", loopback],
    ["fd00:0:0::0002", six],
    ["FD00::2%eth0", six],
    ["[fd00::2]", six],
    ["10.0.0.9", null],
    ["fd00::3", null],
    ["vm-1", null],
    ["127.1", null],
    ["", null],
  ])("of %s", (address, wanted) => {
    expect(interfaceOfAddress(all, address)).toBe(wanted);
  });

  it("finds no loopback where there is none", () => {
    expect(interfaceOfAddress([ethernet], "127.0.0.1")).toBeNull();
  });

  it("finds any IPv6 address in each of its spellings", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
        const only = [{ address }];
        expect(interfaceOfAddress(only, canonical)).toBe(only[0]);
        expect(interfaceOfAddress(only, address.toUpperCase())).toBe(only[0]);
      }),
    );
  });
});

describe("subnetOf", () => {
  it.each([
    ["10.1.2.3", 24, "10.1.2.0/24"],
    ["10.1.2.3", 9, "10.0.0.0/9"],
    ["10.1.2.3", 0, "0.0.0.0/0"],
    ["10.1.2.3", 32, "10.1.2.3/32"],
    ["fd00::2:3", 64, "fd00::/64"],
    ["2001:db8:ffff::1", 33, "2001:db8:8000::/33"],
    ["::1", 128, "::1/128"],
    ["10.1.2.3", 33, null],
    ["10.1.2.3", Number.NaN, null],
    ["vm-1", 8, null],
  ])("of %s/%d is %s", (address, bits, wanted) => {
    expect(subnetOf(address, bits)).toBe(wanted);
  });
});

describe("isLinkLocalV6", () => {
  it.each([
    ["fe80::1", true],
    ["febf::1%eth0", true],
    ["fec0::1", false],
    ["fd00::1", false],
    ["169.254.0.1", false],
  ])("of %s is %s", (address, wanted) => {
    expect(isLinkLocalV6(address)).toBe(wanted);
  });
});
