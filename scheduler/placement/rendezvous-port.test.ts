import { describe, expect, it } from "vitest";
import { jobId } from "../model/ids.ts";
import { TestCluster } from "../state/cluster.fixture.ts";
import { createDraft, type DraftNode } from "./draft.ts";
import { firstObjection } from "./filters.ts";
import { rendezvousPort, rendezvousPortsMax } from "./rendezvous-port.ts";

function headWith(...ports: number[]): { cluster: TestCluster; head: DraftNode } {
  const cluster = new TestCluster();
  cluster.register("dev1");
  const [node] = createDraft(cluster.state).nodes.values();
  if (node === undefined) throw new Error("no node");
  return { cluster, head: { ...node, rendezvousPorts: new Set(ports) } };
}

describe("rendezvousPort", () => {
  it("begins at the attempt's own place in the range", () => {
    const { head } = headWith();
    expect(rendezvousPort(head, jobId(1), 1)).toBe(29_408);
    expect(rendezvousPort(head, jobId(85), 4)).toBe(29_999);
    expect(rendezvousPort(head, jobId(85), 5)).toBe(29_400);
  });

  it("walks on over the ports in use, round the end of the range", () => {
    const { head } = headWith(29_999, 29_400);
    expect(rendezvousPort(head, jobId(85), 4)).toBe(29_401);
  });

  it("is ruled out by a filter where every port is used", () => {
    const all = Array.from({ length: rendezvousPortsMax }, (_, i) => 29_400 + i);
    const { cluster, head } = headWith(...all);
    const { spec } = cluster.job(cluster.submit());
    const filter = firstObjection(head, spec);
    expect(filter?.explain(head, spec, cluster.state)).toBe(
      "all 600 rendezvous ports are used by jobs whose first node it is",
    );
    expect(() => rendezvousPort(head, jobId(1), 1)).toThrow("no rendezvous port left");
  });
});
