import { describe, expect, it } from "vitest";
import { runScript } from "./run-scripts.ts";

describe("the harness", () => {
  const twoNodes = "log-level none\n----\nok\n\nadd-nodes 2 voters=(1,2) index=3\n----\nok\n\n";
  const differenceIn = (text: string): string | null => runScript(text).difference;
  const passes = (text: string): boolean => differenceIn(text) === null;
  /** Whether a stanza behind the two nodes prints this, with log lines hidden. */
  const prints = (stanza: string, expected: string): boolean => {
    return passes(`${twoNodes}log-level fatal\n----\nok\n\n${stanza}\n----\n${expected}\n`);
  };

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

  it.each([
    ["no-such-command 1", "unknown command"],
    ["log-level loud", "log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]"],
    ["stabilize log-level=loud", "log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]"],
    ["add-nodes 1 voters=(1) index=1", "index must be specified as > 1 due to bootstrap"],
    ["add-nodes 1 read-only=sure", 'invalid read-only option "sure"'],
    ["compact 1 x", 'strconv.ParseUint: parsing "x": invalid syntax'],
    ["compact 1 3", "requested index is unavailable due to compaction"],
    [
      "report-unreachable 1",
      "must specify exactly two node indexes: node on which to report, and reported node",
    ],
    ["propose-conf-change 1 v2=true", "unknown command v2"],
    ["propose-conf-change 1 v1=yes", 'strconv.ParseBool: parsing "yes": invalid syntax'],
    ["propose-conf-change 1 transition=soon", "unknown transition soon"],
    ["propose-conf-change 1\nx1", "unknown input: x1"],
    ["propose-conf-change 1 v1=true\nv1 v2", "v1 conf change can only have one operation and no transition"],
    ["propose 1 x", "raft proposal dropped"],
  ])("prints how %j is refused, with everything else hidden or not", (stanza, refusal) => {
    expect(prints(stanza, refusal)).toBe(true);
    expect(passes(`${twoNodes}${stanza}\n----\n${refusal}\n`)).toBe(true);
  });

  it.each([
    ["campaign 7", "there is no node 7"],
    ["campaign x", 'strconv.ParseUint: parsing "x": invalid syntax'],
    ["campaign", "argument 1 is missing"],
    ["add-nodes 1 inflight=0", "max inflight messages must be greater than 0"],
    ["add-nodes 1000000", "at most 1000 nodes"],
    ["add-nodes 1 prevote=yes", 'strconv.ParseBool: parsing "yes": invalid syntax'],
    ["add-nodes 1 index=99999999999999999999", "value out of range"],
    ["tick 1 1000000", "at most 100000 ticks"],
    ["deliver-msgs 1 drop=1", "can't both deliver and drop msgs to 1"],
    ["deliver-msgs 1 type=MsgNone", "unknown message type MsgNone"],
    ["send-snapshot 1", "send-snapshot takes two nodes"],
    ["transfer-leadership from=1", "to= must have one value"],
    ["transfer-leadership from=1 to=9", "there is no node 9"],
    ["set-randomized-election-timeout 1 timeout=0", "above 0"],
    ["propose 1 a b", "propose takes a node and a word"],
    ["propose-conf-change 1 v1=true", "v1 conf change without an operation"],
    ["compact 1 9", "compact 9 is out of bound lastindex(3)"],
  ])("fails on %j whatever is expected of it", (stanza, reason) => {
    const script = `${twoNodes}${stanza}\n----\n`;
    expect(differenceIn(`${script}ok\n`)).toContain(`panic: `);
    expect(differenceIn(`${script}ok\n`)).toContain(reason);
    expect(passes(`${script}panic: ${reason}\n`)).toBe(false);
  });

  it("delivers first and drops then, but not within a node", () => {
    const script = [
      "log-level none\nadd-nodes 2 voters=(1,2) index=3 async-storage-writes=t",
      "campaign 1\nprocess-ready 1\nprocess-append-thread 1\nlog-level info\n----\nok\n",
      "deliver-msgs drop=(1,2) type=MsgVote type=MsgVoteResp\n----\nno messages\n",
      "deliver-msgs drop=(1,2)\n----\ndropped: 1->2 MsgVote Term:1 Log:1/3\n",
      "deliver-msgs 1 1 type=MsgVoteResp\n----\n1->1 MsgVoteResp Term:1 Log:0/0",
      "INFO 1 received MsgVoteResp from 1 at term 1",
      "INFO 1 has received 1 MsgVoteResp votes and 0 vote rejections\n",
    ].join("\n");
    expect(differenceIn(script)).toBeNull();
  });

  it("takes repeated keys, of single values the last", () => {
    const script = [
      "add-nodes 1 voters=1 index=2 voters=2 index=5 election-tick=4",
      "----",
      "INFO 1 switched to configuration voters=(1 2)",
      "INFO 1 became follower at term 0",
      "INFO newRaft 1 [peers: [1,2], term: 0, commit: 5, applied: 5, lastindex: 5, lastterm: 1]",
      "",
      "set-randomized-election-timeout 1 timeout=5",
      "tick-election 1",
      "----",
      "ok",
      "",
      "tick 1 1",
      "----",
      "INFO 1 is starting a new election at term 0",
      "INFO 1 became candidate at term 1",
      "INFO 1 [logterm: 1, index: 5] sent MsgVote request to 2 at term 1",
    ].join("\n");
    expect(differenceIn(script)).toBeNull();
  });

  it("lets a candidate lead on the votes of others alone, as the scripts' authors do", () => {
    const script = [
      "log-level none\nadd-nodes 3 voters=(1,2,3) index=3 async-storage-writes=true",
      "campaign 1\nprocess-ready 1\nstabilize 2 3\ndeliver-msgs 1\nlog-level info\nraft-state\n----",
      "1: StateLeader (Voter) Term:1 Lead:1",
      "2: StateFollower (Voter) Term:1 Lead:0",
      "3: StateFollower (Voter) Term:1 Lead:0",
    ].join("\n");
    expect(differenceIn(script)).toBeNull();
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
    expect(differenceIn(script)).toBeNull();
  });

  it("sends a snapshot to a node that is not a member", () => {
    const script = [
      `${twoNodes}add-nodes 1\nsend-snapshot 1 3\nlog-level warn\n----\nok\n`,
      "deliver-msgs 3",
      "----",
      "1->3 MsgSnap Term:0 Log:0/0",
      "  Snapshot: Index:3 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false",
      "WARN 3 attempted to restore snapshot but it is not in the ConfState voters:1 voters:2 auto_leave:false; should never happen",
    ].join("\n");
    expect(differenceIn(script)).toBeNull();
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

  it.each([
    [
      "committed cfg=(2,1,2) idx=(_)",
      "error: mismatched input (explicit or _) for voters map[1:{} 2:{}]: [0]",
    ],
    [
      "vote cfg=(1) cfgj=(2,3) votes=(y,n)",
      "error: mismatched input (explicit or _) for voters map[1:{} 2:{} 3:{}]: [2 1]",
    ],
    ["committed", "<empty majority quorum>∞"],
    ["committed cfgj=zero", "<empty majority quorum>∞"],
    ["vote cfg=(1,2) cfgj=zero votes=(y,_)", "VotePending"],
    ["vote cfg=(1,2,2) cfgj=(1,3) votes=(y,y,_)", "VotePending"],
  ])("runs the quorum stanza %j", (stanza, expected) => {
    expect(differenceIn(`${stanza}\n----\n${expected}\n`)).toBeNull();
  });

  it.each([
    ["committed cfg=(1) idx=(0)", "cannot use 0 as idx"],
    ["committed cfg=(1 2) idx=(1)", 'strconv.ParseUint: parsing "1 2": invalid syntax'],
    ["vote cfg=(1) votes=(x)", "unknown vote: x"],
    ["vote cfg=(1) cfgj=(zero,2) votes=(y)", "cannot mix 'zero' into configuration"],
    ["vote cfg=(1) ids=(1) votes=(y)", "unknown arg ids"],
    ["vote cfg=(1) votes=(y)\n----\nVoteWon\n\nveto", "unknown command: veto"],
  ])("fails on the quorum stanza %j", (stanza, reason) => {
    expect(differenceIn(`${stanza}\n----\nok\n`)).toContain(`panic: ${reason}`);
  });

  it.each([
    ["simple\nv1 x2", "unknown input: x2"],
    ["simple\nv", "unknown token v"],
    [
      "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n\nleave-joint\nv1",
      "this command takes no input",
    ],
    ["simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n\nleave", "unknown command"],
  ])("prints how the configuration change %j is refused", (stanza, refusal) => {
    expect(differenceIn(`${stanza}\n----\n${refusal}\n`)).toBeNull();
  });

  it("fails on a configuration change with a faulty flag", () => {
    const start = "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n\n";
    expect(differenceIn(`${start}enter-joint autoleave=soon\nv2\n----\nok\n`)).toContain("strconv.ParseBool");
    expect(differenceIn(`${start}enter-joint leave=true\nv2\n----\nok\n`)).toContain("autoleave= must have");
  });
});
