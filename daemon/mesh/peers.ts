import type * as grpc from "@grpc/grpc-js";
import { loadApi, loadMesh } from "../../proto/load.ts";
import type { ApiClient } from "../../proto/gen/gpumesh/v1/Api.ts";
import type { PeerClient } from "../../proto/gen/gpumesh/v1/Peer.ts";
import { unusedCredentials } from "./channels.ts";
import { watchConnecting } from "./channels-watch.ts";
import type { Directory } from "./directory.ts";

/** A connection attempt that hangs for so long is given up for a new one. */
const CONNECT_TIMEOUT_MS = 2_000;

/** Opens a mutual TLS channel to the daemon of that name at that address. */
export type OpenPeerChannel = (peer: { readonly name: string; readonly address: string }) => grpc.Channel;

/** Clients for one daemon, over one channel. */
export interface PeerLine {
  readonly peer: PeerClient;
  readonly api: ApiClient;
}

interface OpenLine extends PeerLine {
  readonly address: string;
  readonly close: () => void;
}

/** One warm channel to each daemon that this one talks to; opened on first use, replaced when its address changes. */
export class Peers {
  readonly #directory: Directory;
  readonly #openChannel: OpenPeerChannel;
  readonly #lines = new Map<string, OpenLine>();
  readonly #mesh = loadMesh();
  readonly #api = loadApi();

  constructor(directory: Directory, openChannel: OpenPeerChannel) {
    this.#directory = directory;
    this.#openChannel = openChannel;
  }

  /** The line to a member; null while its address is not known. */
  line(name: string): PeerLine | null {
    const address = this.#directory.byName(name)?.address ?? "";
    const known = this.#lines.get(name);
    if (known !== undefined && known.address === address) return known;
    known?.close();
    this.#lines.delete(name);
    if (address === "") return null;
    const line = this.#open(name, address);
    this.#lines.set(name, line);
    return line;
  }

  stop(): void {
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }

  #open(name: string, address: string): OpenLine {
    const channel = this.#openChannel({ name, address });
    const options: grpc.ClientOptions = { channelOverride: channel };
    const close = (): void => {
      watch.stop();
      channel.close();
    };
    const watch = watchConnecting(channel, CONNECT_TIMEOUT_MS, () => {
      close();
      if (this.#lines.get(name)?.close === close) this.#lines.delete(name);
    });
    return {
      address,
      close,
      peer: new this.#mesh.Peer(address, unusedCredentials, options),
      api: new this.#api.Api(address, unusedCredentials, options),
    };
  }
}
