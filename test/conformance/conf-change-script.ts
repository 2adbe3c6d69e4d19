import { changeSimply, enterJoint, leaveJoint } from "../../daemon/raft/core/conf-change/changer.ts";
import type { Membership, NewMemberPolicy } from "../../daemon/raft/core/conf-change/changer.ts";
import { parseConfChanges } from "../../daemon/raft/core/conf-change/parse.ts";
import { RaftError } from "../../daemon/raft/core/core.ts";
import { Inflights } from "../../daemon/raft/core/tracker/inflights.ts";
import { describeProgress } from "../../daemon/raft/core/tracker/progress.ts";
import { EMPTY_TRACKER_CONFIG, describeTrackerConfig } from "../../daemon/raft/core/tracker/tracker.ts";
import { parseFlag, soleValue } from "./arguments.ts";
import type { Stanza } from "./datadriven.ts";

/** A membership changed stanza by stanza; the log grows by one entry with each. */
export class ConfChangeScript {
  #membership: Membership = { config: EMPTY_TRACKER_CONFIG, progress: new Map() };
  #lastIndex = 0;

  /** Runs `simple`, `enter-joint` or `leave-joint` with the changes in its input. */
  run(stanza: Stanza): string {
    const policy: NewMemberPolicy = {
      lastIndex: this.#lastIndex,
      newInflights: () => new Inflights(10, Infinity),
    };
    this.#lastIndex += 1;
    try {
      this.#membership = change(this.#membership, stanza, policy);
    } catch (error) {
      if (!(error instanceof RaftError)) throw error;
      return `${error.message}\n`;
    }
    const { config, progress } = this.#membership;
    return `${describeTrackerConfig(config)}\n${describeProgress(progress)}`;
  }
}

function change(from: Membership, stanza: Stanza, policy: NewMemberPolicy): Membership {
  const changes = parseConfChanges(stanza.input);
  switch (stanza.command) {
    case "simple":
      return changeSimply(from, changes, policy);
    case "enter-joint": {
      const autoLeave = stanza.args.length > 0 && parseFlag(soleValue(stanza.args, "autoleave"));
      return enterJoint(from, changes, autoLeave, policy);
    }
    case "leave-joint":
      if (changes.length > 0) throw new RaftError("conf-change-invalid", "this command takes no input");
      return leaveJoint(from, policy);
    default:
      throw new RaftError("conf-change-invalid", "unknown command");
  }
}
