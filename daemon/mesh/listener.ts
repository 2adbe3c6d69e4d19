import { constants, X509Certificate } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";
import * as grpc from "@grpc/grpc-js";
import { identityOf } from "../security/ca.ts";
import type { Credentials } from "../security/credentials-store.ts";
import { joinServerName } from "./channels.ts";
import { peekHello } from "./listener-hello.ts";
import { defaultListenerLimits, type ListenerLimits } from "./listener-limits.ts";
import { endedInHandshake, notHttp2, refusalOfHandshake, refusalOfMember } from "./listener-refusals.ts";

export type { ListenerLimits } from "./listener-limits.ts";

export type ListenerOptions = {
  /** Where to listen: an address of this machine, or `0.0.0.0` or `::` for all. */
  readonly host: string;
  /** 0 lets the system choose a free port. */
  readonly port: number;
  readonly identity: Credentials;
  /** Serves the members of the mesh. */
  readonly mutual: grpc.Server;
  /** Serves those who want to join: it must offer nothing but the Join service. */
  readonly joining: grpc.Server;
  readonly limits?: Partial<ListenerLimits>;
  /** Gets one line for each connection that was turned away, with its `address:port`. */
  readonly onRefused: (reason: string, remoteAddress: string) => void;
  /**
   * Gets the `address:port` of each member whose end of an open connection was closed, by FIN or RST; before the streams
   * on it end for that reason. What this end cuts, as after a time-out, is not told.
   */
  readonly onEndedByPeer?: (remoteAddress: string) => void;
};

/**
 * One TCP port with two doors, chosen by the server name (SNI) that a connection asks for: `join.gpumesh` leads to the
 * joining door (no client certificate), anything else to the mutual door (a certificate of this mesh's authority).
 *
 * TLS ends here and not in grpc-js, whose own TLS server sets no minimum version and keeps handshake failures to
 * itself. Both doors speak TLS 1.3 only, and a grpc server is given only sockets that passed its door.
 */
export type Listener = {
  /** The port it listens on; throws before `start`. */
  readonly port: number;
  start(): Promise<void>;
  /** Stops listening, lets calls end for `drainMs`, then cuts what is left. The grpc servers stay the caller's. */
  stop(): Promise<void>;
  /** Shows renewed credentials to connections from now on; those that stand keep the old ones. */
  renew(identity: Credentials): void;
  /** How many connections were turned away since the start. */
  readonly refusedCount: number;
};

/** Makes a listener that does not listen yet. Throws where the identity cannot be parsed. */
export function createListener(options: ListenerOptions): Listener {
  return new TwoDoorListener(options);
}

type DoorKind = "mutual" | "joining";

type Door = {
  readonly tls: TlsServer;
  readonly injector: ReturnType<grpc.Server["createConnectionInjector"]>;
};

type Connection = {
  readonly remoteAddress: string;
  /** The TCP socket, and from the end of the handshake the TLS socket that owns it. */
  socket: Socket;
  stage: "hello" | "handshake" | "open" | "closing";
};

class TwoDoorListener implements Listener {
  readonly #options: ListenerOptions;
  readonly #limits: ListenerLimits;
  readonly #server: Server;
  readonly #doors: Readonly<Record<DoorKind, Door>>;
  readonly #connections = new Map<string, Connection>();
  /** Those of `#connections` that have not finished their handshake. */
  readonly #handshaking = new Set<Connection>();
  readonly #joining = new Set<Connection>();
  #refusedCount = 0;
  #meshId: string;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#limits = { ...defaultListenerLimits, ...options.limits };
    this.#meshId = meshIdOf(options.identity);
    this.#doors = {
      mutual: this.#makeDoor("mutual", options.mutual),
      joining: this.#makeDoor("joining", options.joining),
    };
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = this.#limits.connectionsMax;
    this.#server.on("drop", (dropped) => {
      const from = `${dropped?.remoteAddress ?? "unknown"}:${dropped?.remotePort ?? 0}`;
      this.#report(`this daemon has ${this.#limits.connectionsMax} connections already`, from);
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the listener is not started");
    return address.port;
  }

  get refusedCount(): number {
    return this.#refusedCount;
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off("error", reject);
        // A failed accept, as with no file descriptor left, costs one connection and not the daemon.
        this.#server.on("error", (error) =>
          this.#report(`it could not be accepted (${error.message})`, "unknown"),
        );
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#handshaking) {
      connection.stage = "closing";
      connection.socket.destroy();
    }
    for (const door of Object.values(this.#doors)) door.injector.destroy();
    const cut = setTimeout(() => {
      for (const connection of this.#connections.values()) connection.socket.destroy();
    }, this.#limits.drainMs);
    await closed;
    clearTimeout(cut);
  }

  renew(identity: Credentials): void {
    this.#meshId = meshIdOf(identity);
    for (const door of Object.values(this.#doors)) door.tls.setSecureContext(secureContextOptions(identity));
  }

  #makeDoor(kind: DoorKind, server: grpc.Server): Door {
    const tls = createTlsServer({
      ...secureContextOptions(this.#options.identity),
      ALPNProtocols: ["h2"],
      handshakeTimeout: this.#limits.handshakeTimeoutMs,
      requestCert: kind === "mutual",
      // Node would cut the connection without saying whose it was; #enter refuses the unauthorised, with the reason.
      rejectUnauthorized: false,
    });
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    tls.on("secureConnection", (socket) => this.#enter(kind, socket));
    tls.on("tlsClientError", (error, socket) => {
      // A socket that is closed already has no address left; its TCP socket's close event reports it.
      const connection = this.#connections.get(endpointsOf(socket));
      if (connection !== undefined) {
        this.#refuse(connection, refusalOfHandshake(error, this.#limits.handshakeTimeoutMs));
      }
    });
    return { tls, injector };
  }

  #accept(socket: Socket): void {
    const endpoints = endpointsOf(socket);
    const remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    const connection: Connection = { remoteAddress, socket, stage: "hello" };
    socket.on("error", ignoreError);
    if (this.#handshaking.size >= this.#limits.handshakesMax) {
      return this.#refuse(
        connection,
        `${this.#limits.handshakesMax} other connections are still in their handshake`,
      );
    }
    this.#connections.set(endpoints, connection);
    this.#handshaking.add(connection);
    socket.once("close", () => {
      if (connection.stage === "handshake") this.#refuse(connection, endedInHandshake);
      this.#connections.delete(endpoints);
      this.#handshaking.delete(connection);
      this.#joining.delete(connection);
    });
    peekHello(socket, this.#limits, (hello) => {
      if (connection.stage !== "hello") return;
      switch (hello.kind) {
        case "silent":
          socket.destroy();
          return;
        case "refused":
          return this.#refuse(connection, hello.reason);
        case "hello":
          connection.stage = "handshake";
          this.#doors[hello.serverName === joinServerName ? "joining" : "mutual"].tls.emit(
            "connection",
            socket,
          );
          return;
      }
    });
  }

  /** Lets a connection whose handshake is done through its door, or turns it away. */
  #enter(kind: DoorKind, socket: TLSSocket): void {
    // grpc-js and http2 leave the errors of a TLS socket to whoever made it (nodejs/node#35824).
    socket.on("error", ignoreError);
    const connection = this.#connections.get(endpointsOf(socket));
    if (connection?.stage !== "handshake") {
      socket.destroy();
      return;
    }
    connection.socket = socket;
    const refusal = kind === "mutual" ? refusalOfMember(socket, this.#meshId) : this.#refusalOfNewcomer();
    if (refusal !== null) return this.#refuse(connection, refusal);
    if (socket.alpnProtocol !== "h2") return this.#refuse(connection, notHttp2);
    connection.stage = "open";
    this.#handshaking.delete(connection);
    if (kind === "joining") this.#limitJoining(connection);
    else this.#watchPeer(connection);
    keepPeerCertificate(socket);
    this.#doors[kind].injector.injectConnection(socket);
  }

  #refusalOfNewcomer(): string | null {
    const { joiningConnectionsMax } = this.#limits;
    return this.#joining.size < joiningConnectionsMax
      ? null
      : `${joiningConnectionsMax} connections are joining already; try again`;
  }

  #limitJoining(connection: Connection): void {
    this.#joining.add(connection);
    const timer = setTimeout(() => connection.socket.destroy(), this.#limits.joiningConnectionMsMax);
    connection.socket.once("close", () => clearTimeout(timer));
  }

  #watchPeer({ socket, remoteAddress }: Connection): void {
    const ended = (): void => this.#options.onEndedByPeer?.(remoteAddress);
    socket.once("end", ended);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET" || error.code === "EPIPE") ended();
    });
  }

  #refuse(connection: Connection, reason: string): void {
    connection.stage = "closing";
    connection.socket.destroy();
    this.#report(reason, connection.remoteAddress);
  }

  #report(reason: string, remoteAddress: string): void {
    this.#refusedCount += 1;
    this.#options.onRefused(reason, remoteAddress);
  }
}

function ignoreError(): void {
  // Every error of a socket is followed by its close event, and that one is handled.
}

/**
 * grpc-js asks for the peer's certificate at each call, and Node decodes it anew each time. That of a TLS 1.3 connection
 * never changes.
 */
function keepPeerCertificate(socket: TLSSocket): void {
  const certificate = socket.getPeerCertificate(true);
  socket.getPeerCertificate = () => certificate;
}

/** Names one connection among those of a listening port: no two that are open share both ends. */
function endpointsOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.remoteAddress} ${socket.remotePort}`;
}

function meshIdOf(identity: Credentials): string {
  const stated = identityOf(new X509Certificate(identity.certificatePem));
  if (stated?.role !== "daemon")
    throw new Error("a listener needs the certificate of a daemon; see `mesh init` or `join`");
  return stated.meshId;
}

/**
 * The chain carries the authority too, so that a newcomer can compare it with its join token. No session tickets: a
 * resumed session would skip the check of a certificate that has expired since.
 */
function secureContextOptions(identity: Credentials): SecureContextOptions {
  return {
    ca: identity.authorityPem,
    cert: `${identity.certificatePem}\n${identity.authorityPem}`,
    key: identity.privateKeyPem,
    minVersion: "TLSv1.3",
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
