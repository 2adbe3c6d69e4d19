import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "../../../daemon/security/ca.ts";
import { anyDaemonServerName } from "../../../daemon/security/identity.ts";
import type { Group } from "./group.ts";
import { benchMeshId, issue } from "./issue.ts";
import type { MemberConfig } from "./member-network.ts";
import { nextMessage, startTied, type TiedProcess } from "./tied-process.ts";

const port = 7480;

/** Starts the project's members, one on each host, with their data under `folder`. */
export async function startGpumesh(
  hosts: readonly string[],
  options: { readonly folder: string; readonly nodeArguments: readonly string[] },
): Promise<Group> {
  const authority = await createAuthority(benchMeshId);
  const client = await issue(authority, "client", "load");
  const members = hosts.map((host, nth) => {
    return { number: nth + 1, name: `m${nth + 1}`, address: `${host}:${port}`, host };
  });
  const processes: TiedProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((process) => process.stop()));
  };
  try {
    for (const { number, name, host } of members) {
      const home = join(options.folder, name);
      mkdirSync(home, { recursive: true });
      const identity = await issue(authority, "daemon", name);
      const config: MemberConfig = { number, folder: join(home, "raft"), host, port, identity, members };
      const configFile = join(home, "member.json");
      writeFileSync(configFile, JSON.stringify(config), { mode: 0o600 });
      const program = join(import.meta.dirname, "member.ts");
      const command = [process.execPath, ...options.nodeArguments, program, configFile];
      const logFile = join(home, "member.log");
      const member = startTied(command, { logFile, ipc: true });
      processes.push(member);
      await nextMessage(member, `member ${name}, which writes to ${logFile},`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: "gpumesh",
    addresses: members.map(({ address }) => address),
    pids: processes.map(({ pid }) => pid),
    tls: {
      authority: client.authorityPem,
      certificate: client.certificatePem,
      privateKey: client.privateKeyPem,
      serverName: anyDaemonServerName,
    },
    stop,
  };
}
