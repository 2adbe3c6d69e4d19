import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runScript, runScripts } from "./run-scripts.ts";

const SCRIPTS = fileURLToPath(new URL("../../../shared/data/etcd-raft", import.meta.url));

describe("the raft core on the scripts of etcd-io/raft", () => {
  if (!existsSync(SCRIPTS)) {
    throw new Error(
      `the scripts are missing: put etcd-io/raft's testdata at ../shared/data/etcd-raft beside this tree`,
    );
  }
  const results = runScripts(SCRIPTS);

  it("finds all three kinds of scripts", () => {
    expect(results).toHaveLength(31);
    expect(results.reduce((sum, { stanzas }) => sum + stanzas, 0)).toBe(528);
  });

  it.each(results)("$path", ({ difference }) => {
    expect(difference).toBeNull();
  });
});

describe("the harness", () => {
  const passes = (text: string): boolean => runScript(text).difference === null;
  const twoNodes = "log-level none\n----\nok\n\nadd-nodes 2 voters=(1,2) index=3\n----\nok\n\n";

  it("fails on a changed byte", () => {
    expect(passes("vote cfg=(1) votes=(y)\n----\nVoteWon\n")).toBe(true);
    expect(passes("vote cfg=(1) votes=(y)\n----\nVoteLost\n")).toBe(false);
    expect(passes("simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=2\n")).toBe(false);
  });

  it("fails on a log line that is missing or one too many", () => {
    const campaign = `${twoNodes}log-level info\n----\nok\n\ncampaign 1\n----\n`;
    const first = "INFO 1 is starting a new election at term 0\nINFO 1 became candidate at term 1\n";
    const last = "INFO 1 [logterm: 1, index: 3] sent MsgVote request to 2 at term 1\n";
    expect(passes(campaign + first + last)).toBe(true);
    expect(passes(campaign + first)).toBe(false);
    expect(passes(`${campaign}${first}${last}INFO more\n`)).toBe(false);
  });

  it("fails on an unknown directive and on a file without stanzas", () => {
    expect(passes("no-such-command 1\n----\nok\n")).toBe(false);
    expect(passes("# only a comment\n")).toBe(false);
    expect(passes("campaign 1\nno fence\n")).toBe(false);
  });

  it("reports what a broken invariant says as a difference", () => {
    const { difference } = runScript(`${twoNodes}campaign 7\n----\nok\n`);
    expect(difference).toContain("panic: there is no node 7");
  });

  it("reads a doubled fence, within which blank lines are output", () => {
    expect(passes("vote cfg=(1) votes=(y)\n----\n----\nVoteWon\n----\n----\n")).toBe(true);
    expect(passes("vote cfg=(1) votes=(y)\n----\n----\nVoteWon\n\n----\n----\n")).toBe(false);
  });

  it("sends a snapshot on demand and prints it", () => {
    const script = [
      `${twoNodes}log-level debug\n----\nok\n`,
      "send-snapshot 1 2",
      "----",
      "1->2 MsgSnap Term:0 Log:0/0",
      "  Snapshot: Index:3 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false",
      "",
      "deliver-msgs type=MsgApp 2",
      "----",
      "no messages",
      "",
      "deliver-msgs type=MsgSnap 2",
      "----",
      "1->2 MsgSnap Term:0 Log:0/0",
      "  Snapshot: Index:3 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false",
      "INFO 2 [commit: 3] ignored snapshot [index: 3, term: 1]",
      "",
    ].join("\n");
    expect(runScript(script).difference).toBeNull();
  });

  it("runs the lines of the input as further directives", () => {
    expect(passes(`${twoNodes}log-level none\nlog-level info\ncampaign 2\nraft-state\n----\nok\n`)).toBe(
      false,
    );
    const campaign = [
      "INFO 1 is starting a new election at term 0",
      "INFO 1 became candidate at term 1",
      "INFO 1 [logterm: 1, index: 3] sent MsgVote request to 2 at term 1",
      "1: StateCandidate (Voter) Term:1 Lead:0",
      "2: StateFollower (Voter) Term:0 Lead:0",
    ].join("\n");
    expect(passes(`${twoNodes}log-level info\ncampaign 1\nraft-state\n----\n${campaign}\n`)).toBe(true);
  });

  it("prints errors even when everything else is hidden", () => {
    expect(passes(`${twoNodes}propose 1 x\n----\nraft proposal dropped\n`)).toBe(true);
  });
});
