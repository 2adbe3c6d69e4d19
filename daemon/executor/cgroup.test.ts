import { describe, expect, it } from "vitest";
import { cgroupIsEmpty, cgroupMembers, findCgroup2, killCgroup, removeCgroup } from "./cgroup.ts";

describe("findCgroup2", () => {
  it("finds it alone", () => {
    expect(findCgroup2("proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")).toBe(
      "/sys/fs/cgroup",
    );
  });

  it("finds it beside version 1", () => {
    const mounts =
      "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
    expect(findCgroup2(mounts)).toBe("/sys/fs/cgroup/unified");
  });

  it("reads escaped characters of the mount point", () => {
    expect(findCgroup2("cgroup2 /odd\\040place cgroup2 rw 0 0\n")).toBe("/odd place");
  });

  it("finds none among others", () => {
    expect(findCgroup2("cgroup2 /sys/fs/cgroup tmpfs rw 0 0\ncgroup /c cgroup rw 0 0\n")).toBeUndefined();
  });
});

it("takes a group that does not exist for an empty one", async () => {
  const path = "/sys/fs/cgroup/no such group";
  expect(cgroupIsEmpty(path)).toBe(true);
  expect(cgroupMembers(path)).toEqual([]);
  killCgroup(path);
  await removeCgroup(path);
});
