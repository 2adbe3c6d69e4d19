import { formatInstant } from "../../model/instant.ts";
import type { Filter } from "../filter.ts";

/** Only a node whose daemon is here takes work. */
export const ready: Filter = {
  name: "ready",
  check: ({ record }) => record.state.kind === "ready",
  explain: ({ record: { state } }) => {
    switch (state.kind) {
      case "joining":
        return `joining since ${formatInstant(state.since)}: its daemon has not registered yet`;
      case "lost":
        return `lost since ${formatInstant(state.since)}: ${state.reason}`;
      case "ready":
        return "ready";
    }
  },
};
