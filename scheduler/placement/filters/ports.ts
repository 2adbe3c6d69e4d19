import type { Filter } from "../filter.ts";
import { rendezvousPortsMax } from "../rendezvous-port.ts";

/** A node must have a free rendezvous port: any node of a gang may become its head. */
export const ports: Filter = {
  name: "ports",
  check: ({ rendezvousPorts }) => rendezvousPorts.size < rendezvousPortsMax,
  explain: () => `all ${rendezvousPortsMax} rendezvous ports are used by jobs whose first node it is`,
};
