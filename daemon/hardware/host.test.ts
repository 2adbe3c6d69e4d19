import { hostname, networkInterfaces, totalmem } from "node:os";
import { describe, expect, it } from "vitest";
import { hostLimits, interfacesOf, readHost } from "./host.ts";

describe("readHost", () => {
  it("agrees with the operating system", async () => {
    const host = await readHost();
    expect(host.hostname).toBe(hostname());
    expect(host.cpus).toBeGreaterThan(0);
    expect(host.memoryMiB).toBeGreaterThan(0);
    expect(host.memoryMiB).toBeLessThanOrEqual(totalmem() / 1024 ** 2);
    const known = Object.entries(networkInterfaces()).flatMap(([name, infos]) =>
      (infos ?? []).map(({ address }) => `${name} ${address}`),
    );
    expect(host.interfaces.map(({ name, address }) => `${name} ${address}`).toSorted()).toEqual(
      known.toSorted(),
    );
    expect(host.interfaces.find(({ address }) => address === "127.0.0.1")).toMatchObject({
      cidr: "127.0.0.0/8",
      up: true,
      speedMbps: null,
    });
  });
});

describe("interfacesOf", () => {
  const info = (address: string, cidr: string | null) => ({
    address,
    cidr,
    netmask: "",
    mac: "",
    internal: false,
    family: "IPv4" as const,
  });

  it("lists each address of an interface with the facts of its adapter", () => {
    const listed = interfacesOf(
      {
        eth0: [info("10.0.0.7", "10.0.0.7/24"), info("fd00::2", "fd00::2/64")],
        docker0: [info("172.17.0.1", "172.17.0.1/16")],
      },
      new Map([
        ["eth0", { speed: 100_000, operstate: "up", virtual: false }],
        ["docker0", { speed: -1, operstate: "down", virtual: true }],
      ]),
    );
    expect(listed).toEqual([
      {
        name: "eth0",
        address: "10.0.0.7",
        cidr: "10.0.0.0/24",
        speedMbps: 100_000,
        up: true,
        virtual: false,
      },
      { name: "eth0", address: "fd00::2", cidr: "fd00::/64", speedMbps: 100_000, up: true, virtual: false },
      {
        name: "docker0",
        address: "172.17.0.1",
        cidr: "172.17.0.0/16",
        speedMbps: null,
        up: false,
        virtual: true,
      },
    ]);
  });

  it("skips an address without subnet and stops at its limit", () => {
    const many = Array.from({ length: hostLimits.interfacesMax + 1 }, () => info("10.0.0.7", "10.0.0.7/24"));
    expect(interfacesOf({ eth0: [info("10.0.0.7", null), ...many] }, new Map())).toHaveLength(
      hostLimits.interfacesMax,
    );
  });
});
