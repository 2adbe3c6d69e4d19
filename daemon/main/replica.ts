import type { AddJoinToken, InitialiseMesh } from "../../scheduler/model/command.ts";
import { Leader } from "../leader/leader.ts";
import type { Directory } from "../mesh/directory.ts";
import type { Message } from "../raft/core/core.ts";
import { GrpcTransport } from "../raft/grpc-transport.ts";
import type { PeerGate } from "../raft/peer-gate.ts";
import type { OpenChannel } from "../raft/peer-link.ts";
import type { SnapshotTransfer } from "../raft/transport.ts";
import { RaftStore } from "../store/raft-store.ts";
import type { Store } from "../store/store.ts";

export interface ReplicaOptions {
  readonly number: number;
  readonly meshId: string;
  readonly folder: string;
  readonly directory: Directory;
  readonly openChannel: OpenChannel;
  /** The first commands of a mesh that this daemon founds; null when it joined one. */
  readonly founding: readonly (InitialiseMesh | AddJoinToken)[] | null;
  readonly now: () => number;
  readonly log: (line: string) => void;
  readonly onFatal: (error: Error) => void;
}

/** This daemon's copy of the replicated state, with what runs on it while it leads. Only raft members have one. */
export class Replica {
  readonly store: Store;
  readonly leader: Leader;
  readonly #transport: GrpcTransport;
  readonly #raftStore: RaftStore;
  readonly #directory: Directory;
  readonly #unsubscribe: () => void;

  private constructor(options: ReplicaOptions, transport: GrpcTransport, store: RaftStore) {
    const { directory, now, founding, log } = options;
    this.store = store;
    this.#raftStore = store;
    this.#transport = transport;
    this.#directory = directory;
    const followDirectory = (): void => transport.setPeers(raftPeers(directory, options.number));
    // Before the leader, which may change it at once; it may also have changed while the log was opened.
    this.#unsubscribe = directory.onChange(followDirectory);
    followDirectory();
    this.leader = new Leader({ store, directory, now, founding, log });
  }

  /** Opens the log and replays it; the replica then takes part in elections. */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const transport = new GrpcTransport({ openChannel: options.openChannel });
    transport.setPeers(raftPeers(options.directory, options.number));
    const store = await RaftStore.start({
      id: options.number,
      meshId: options.meshId,
      folder: options.folder,
      transport,
      bootstrap: options.founding === null ? null : { voters: [options.number] },
      onFatal: options.onFatal,
      report: (level, line) => (level === "info" ? undefined : options.log(`raft: ${line}`)),
    }).catch(async (error: unknown) => {
      await transport.stop();
      throw error;
    });
    return new Replica(options, transport, store);
  }

  /** Judges who sends raft messages to this daemon; null while it does not run. */
  get gate(): PeerGate | null {
    return this.#transport.gate;
  }

  /** A raft message that came over the network, its sender verified. */
  deliver(message: Message): void {
    this.#transport.deliver(message);
  }

  /** A member broke its stream of raft messages off. */
  brokenOff(number: number): void {
    this.#transport.brokenOff(number);
  }

  /** A snapshot that comes over the network, its sender verified. */
  deliverSnapshot(transfer: SnapshotTransfer): Promise<void> {
    return this.#transport.deliverSnapshot(transfer);
  }

  /** Members now: by this replica's own log, and by the directory for one that was added just before. */
  isMember(number: number): boolean {
    const { voters, learners } = this.store.members();
    if (voters.includes(number) || learners.includes(number)) return true;
    const role = this.#directory.byNumber(number)?.raftRole;
    return role === "voter" || role === "learner";
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#raftStore.handOver();
    this.leader.stop();
    await this.#raftStore.stop();
    await this.#transport.stop();
  }
}

function raftPeers(directory: Directory, self: number): Map<number, { name: string; address: string }> {
  const peers = new Map<number, { name: string; address: string }>();
  for (const { number, name, address, raftRole } of directory.members()) {
    if (number !== self && address !== "" && raftRole !== "client") peers.set(number, { name, address });
  }
  return peers;
}
