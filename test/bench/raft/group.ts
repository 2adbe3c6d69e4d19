import { setTimeout as sleep } from "node:timers/promises";
import { clientArguments, Maintenance } from "./kv.ts";
import type { ClientTls, StatusResponse } from "./kv.ts";

/** Three members that run as processes of this machine. */
export interface Group {
  readonly name: "gpumesh" | "etcd";
  readonly addresses: readonly string[];
  readonly pids: readonly number[];
  readonly tls: ClientTls;
  stop(): Promise<void>;
}

const electionMsMax = 30_000;
const askMsMax = 1_000;

/** The position of the member that leads. Rejects where none does for half a minute. */
export async function leaderOf(group: Group): Promise<number> {
  const deadline = performance.now() + electionMsMax;
  while (performance.now() < deadline) {
    const answers = await Promise.all(
      group.addresses.map((address) => ask(address, group.tls).catch(() => null)),
    );
    const leads = answers.findIndex((answer) => answer !== null && answer.header?.memberId === answer.leader);
    if (leads >= 0) return leads;
    await sleep(50);
  }
  throw new Error(`no member of the ${group.name} group leads after ${electionMsMax} ms`);
}

function ask(address: string, tls: ClientTls): Promise<StatusResponse> {
  const client = new Maintenance(...clientArguments(address, tls));
  return new Promise<StatusResponse>((resolve, reject) => {
    client.status({}, { deadline: Date.now() + askMsMax }, (error, answer) => {
      if (error !== null || answer === undefined) reject(error ?? new Error("an empty answer"));
      else resolve(answer);
    });
  }).finally(() => client.close());
}
