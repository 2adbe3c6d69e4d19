import "reflect-metadata";
import { spawnSync } from "node:child_process";
import { KeyObject, webcrypto } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import type { Group } from "./group.ts";
import { startTied, type TiedProcess } from "./tied-process.ts";

const clientPort = 2379;
const peerPort = 2380;
const serverName = "etcd.test";
/** Connections to any loopback address come from this one, and etcd wants it in the certificate of the peer. */
const loopback = "127.0.0.1";
const hourMs = 3_600_000;
const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** What to do about an etcd that is not there, or null. */
export function etcdMissing(): string | null {
  const { status } = spawnSync("etcd", ["--version"], { stdio: "ignore" });
  return status === 0 ? null : "there is no etcd on this machine; install the package etcd-server";
}

/** Starts etcd's members with its own settings, one on each host: TLS between them and for clients, data under `folder`. */
export async function startEtcd(
  hosts: readonly string[],
  options: { readonly folder: string },
): Promise<Group> {
  const certificates = await makeCertificates(hosts);
  const peers = hosts.map((host, nth) => `m${nth + 1}=https://${host}:${peerPort}`).join(",");
  const processes: TiedProcess[] = [];
  hosts.forEach((host, nth) => {
    const name = `m${nth + 1}`;
    const home = join(options.folder, name);
    mkdirSync(home, { recursive: true });
    const file = (file: string, text: string): string => {
      writeFileSync(join(home, file), text, { mode: 0o600 });
      return join(home, file);
    };
    const authority = file("ca.pem", certificates.authority);
    const certificate = file("member.pem", certificates.member.certificate);
    const privateKey = file("member.key", certificates.member.privateKey);
    const clientUrl = `https://${host}:${clientPort}`;
    const peerUrl = `https://${host}:${peerPort}`;
    // prettier-ignore
    const command = [
      "etcd", "--name", name, "--data-dir", join(home, "data"),
      "--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl,
      "--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl,
      "--initial-cluster", peers, "--initial-cluster-state", "new",
      "--client-cert-auth", "--trusted-ca-file", authority, "--cert-file", certificate, "--key-file", privateKey,
      "--peer-client-cert-auth", "--peer-trusted-ca-file", authority,
      "--peer-cert-file", certificate, "--peer-key-file", privateKey,
      "--logger", "zap", "--log-level", "warn",
    ];
    processes.push(startTied(command, { logFile: join(home, "member.log"), ipc: false }));
  });
  return {
    name: "etcd",
    addresses: hosts.map((host) => `${host}:${clientPort}`),
    pids: processes.map(({ pid }) => pid),
    tls: { authority: certificates.authority, serverName, ...certificates.client },
    async stop() {
      await Promise.all(processes.map((process) => process.stop()));
    },
  };
}

interface Pair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** P-256, as those of a mesh are, and naming all hosts, since etcd compares a peer's address with its certificate. */
async function makeCertificates(
  hosts: readonly string[],
): Promise<{ readonly authority: string; readonly member: Pair; readonly client: Pair }> {
  const keys = await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
  const validity = {
    notBefore: new Date(Date.now() - hourMs),
    notAfter: new Date(Date.now() + 24 * hourMs),
  };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=benchmark authority",
    keys,
    signingAlgorithm: signing,
    ...validity,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  const issue = async (name: string): Promise<Pair> => {
    const own = await webcrypto.subtle.generateKey(signing, true, ["sign", "verify"]);
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    const addresses = [loopback, ...hosts].map((value) => ({ type: "ip", value }) as const);
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${name}`,
      issuer: authority.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: signing,
      ...validity,
      extensions: [
        new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: "dns", value: serverName }, ...addresses]),
      ],
    });
    const key = KeyObject.from(own.privateKey).export({ type: "pkcs8", format: "pem" });
    return { certificate: certificate.toString("pem"), privateKey: key.toString() };
  };
  return {
    authority: authority.toString("pem"),
    member: await issue("member"),
    client: await issue("load"),
  };
}
