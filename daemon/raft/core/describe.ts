import { asV2, decodeConfChange } from "./conf-change/conf-change.ts";
import type { ConfChange, ConfChangeSingle } from "./conf-change/conf-change.ts";
import { describeConfChanges } from "./conf-change/parse.ts";
import { NO_NODE, isEmptyHardState, isEmptySnapshot } from "./entry.ts";
import type { ConfState, Entry, HardState, NodeNumber, Snapshot } from "./entry.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD } from "./message.ts";
import type { Message } from "./message.ts";
import type { ReadState, Ready, SoftState } from "./ready.ts";

/** Turns the data of a normal entry into text. */
export type DataFormatter = (data: Uint8Array) => string;

/** All that a Ready asks for, part by part; "<empty Ready>" when it asks for nothing. Ends its lines with a newline. */
export function describeReady(ready: Ready, format: DataFormatter = quoteBytes): string {
  const { softState, hardState, readStates, entries, snapshot, committedEntries, messages } = ready;
  const parts = [
    softState === null ? "" : `${describeSoftState(softState)}\n`,
    hardState === null || isEmptyHardState(hardState) ? "" : `HardState ${describeHardState(hardState)}\n`,
    readStates.length === 0 ? "" : `ReadStates [${readStates.map(describeReadState).join(" ")}]\n`,
    entries.length === 0 ? "" : `Entries:\n${describeEntries(entries, format)}`,
    snapshot === null || isEmptySnapshot(snapshot) ? "" : `Snapshot ${describeSnapshot(snapshot)}\n`,
    committedEntries.length === 0 ? "" : `CommittedEntries:\n${describeEntries(committedEntries, format)}`,
    messages.length === 0
      ? ""
      : `Messages:\n${messages.map((m) => `${describeMessage(m, format)}\n`).join("")}`,
  ].join("");
  return parts === "" ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:\n${parts}`;
}

/** For example "1->2 MsgApp Term:1 Log:1/11 Commit:11 Entries:[1/12 EntryNormal "x"]". */
export function describeMessage(m: Message, format: DataFormatter = quoteBytes, indent = ""): string {
  const responses = m.responses.map((each) => `\n${describeMessage(each, format, `${indent}  `)}`).join("");
  return [
    `${indent}${describeTarget(m.from)}->${describeTarget(m.to)} ${m.type} `,
    `Term:${m.term} Log:${m.logTerm}/${m.index}`,
    m.reject ? ` Rejected (Hint: ${m.rejectHint})` : "",
    m.commit === 0 ? "" : ` Commit:${m.commit}`,
    m.vote === NO_NODE ? "" : ` Vote:${m.vote}`,
    describeMessageEntries(m.entries, format, indent),
    m.snapshot === null || isEmptySnapshot(m.snapshot)
      ? ""
      : `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`,
    responses === "" ? "" : ` Responses:[${responses}\n${indent}]`,
  ].join("");
}

/** One line an entry. */
export function describeEntries(entries: readonly Entry[], format: DataFormatter = quoteBytes): string {
  return entries.map((entry) => `${describeEntry(entry, format)}\n`).join("");
}

/** For example `1/12 EntryNormal "x"` or "1/13 EntryConfChangeV2 v2 r3". */
export function describeEntry(entry: Entry, format: DataFormatter = quoteBytes): string {
  const change = decodeConfChange(entry);
  const content = change === null ? format(entry.data) : describeConfChanges(asV2(change).changes);
  return `${entry.term}/${entry.index} ${entry.type}${content === "" ? "" : ` ${content}`}`;
}

export function describeSoftState({ lead, raftState }: SoftState): string {
  return `Lead:${lead} State:${raftState}`;
}

export function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NO_NODE ? "" : ` Vote:${vote}`} Commit:${commit}`;
}

export function describeSnapshot({ metadata: { index, term, confState } }: Snapshot): string {
  return `Index:${index} Term:${term} ConfState:${describeConfState(confState)}`;
}

export function describeConfState(state: ConfState): string {
  const list = (ids: readonly NodeNumber[]): string => `[${ids.join(" ")}]`;
  return (
    `Voters:${list(state.voters)} VotersOutgoing:${list(state.votersOutgoing)} ` +
    `Learners:${list(state.learners)} LearnersNext:${list(state.learnersNext)} AutoLeave:${state.autoLeave}`
  );
}

/** A membership in the notation of protocol buffers, for example "voters:1 voters:2 learners:3 auto_leave:false". */
export function describeConfStateFields(state: ConfState): string {
  const list = (field: string, ids: readonly NodeNumber[]): string[] => ids.map((id) => `${field}:${id}`);
  return [
    ...list("voters", state.voters),
    ...list("learners", state.learners),
    ...list("voters_outgoing", state.votersOutgoing),
    ...list("learners_next", state.learnersNext),
    `auto_leave:${state.autoLeave}`,
  ].join(" ");
}

/** All fields of a change in the same notation, for example "transition:ConfChangeTransitionAuto changes:{type:ConfChangeAddNode node_id:3}". */
export function describeConfChange(change: ConfChange): string {
  const single = ({ type, nodeId }: ConfChangeSingle): string => `type:${type} node_id:${nodeId}`;
  const fields =
    change.kind === "v1"
      ? [single(change)]
      : [`transition:${change.transition}`, ...change.changes.map((each) => `changes:{${single(each)}}`)];
  const context = change.context.length === 0 ? [] : [`context:${quoteBytes(change.context)}`];
  return [...fields, ...context].join(" ");
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

/** What shows as itself: letters, marks, numbers, punctuation and symbols of any script, and the blank. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** The bytes as UTF-8 text in double quotes; quotes, backslashes and all that does not print are escaped. */
export function quoteBytes(data: Uint8Array): string {
  const escape = (character: string): string => {
    const known = ESCAPES.get(character);
    if (known !== undefined) return known;
    if (PRINTABLE.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16);
    if (code < 0x20 || code === 0x7f) return `\\x${hex.padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  };
  return `"${Array.from(new TextDecoder().decode(data), escape).join("")}"`;
}

function describeReadState({ index, requestCtx }: ReadState): string {
  return `{${index} [${requestCtx.join(" ")}]}`;
}

function describeMessageEntries(entries: readonly Entry[], format: DataFormatter, indent: string): string {
  const [first] = entries;
  if (first === undefined) return "";
  if (entries.length === 1) return ` Entries:[${describeEntry(first, format)}]`;
  const lines = entries.map((entry) => `\n${indent}  ${describeEntry(entry, format)}`).join("");
  return ` Entries:[${lines}\n${indent}]`;
}

function describeTarget(id: NodeNumber): string {
  if (id === NO_NODE) return "None";
  if (id === LOCAL_APPEND_THREAD) return "AppendThread";
  if (id === LOCAL_APPLY_THREAD) return "ApplyThread";
  return id.toString(16);
}
