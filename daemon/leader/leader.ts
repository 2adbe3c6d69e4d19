import { randomBytes } from "node:crypto";
import type { AddJoinToken, InitialiseMesh } from "../../scheduler/model/command.ts";
import type { Directory } from "../mesh/directory.ts";
import type { Leadership, Store } from "../store/store.ts";
import { startFounding } from "./founding.ts";
import { Leases } from "./leases.ts";
import { startMembership } from "./membership.ts";
import { startScheduling } from "./scheduling.ts";
import type { SessionStream } from "./sessions.ts";
import { Sessions } from "./sessions.ts";
import { startVoters } from "./voters.ts";

const TOKEN_BYTES = 24;

export interface LeaderOptions {
  readonly store: Store;
  readonly directory: Directory;
  readonly now: () => number;
  /** The first commands of a new mesh; null except on its founder. */
  readonly founding: readonly (InitialiseMesh | AddJoinToken)[] | null;
  readonly log: (line: string) => void;
}

/** The loops that run on this daemon while it leads, one set for each term. They meet only in the store. */
export class Leader {
  readonly #options: LeaderOptions;
  readonly #unsubscribe: () => void;
  #term: {
    readonly number: number;
    readonly sessions: Sessions;
    readonly stops: readonly (() => void)[];
  } | null = null;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.#unsubscribe = options.store.onLeadership((leadership) => this.#follow(leadership));
    this.#follow(options.store.leadership());
  }

  stop(): void {
    this.#unsubscribe();
    this.#end();
  }

  /** Takes a daemon's session, or sends it to the leader. `name` is the one in its certificate. */
  acceptSession(stream: SessionStream, name: string): void {
    if (this.#term !== null) return this.#term.sessions.accept(stream, name);
    const { directory, store } = this.#options;
    const leader = directory.members().find((member) => member.number === store.leadership().leader);
    stream.write({ notLeader: { leader: leader?.name ?? "", address: leader?.address ?? "" } });
    stream.end();
  }

  #follow(leadership: Leadership): void {
    if (this.#term !== null && (!leadership.leads || leadership.term !== this.#term.number)) this.#end();
    if (leadership.leads && this.#term === null) this.#begin(leadership.term);
  }

  #begin(term: number): void {
    const { store, directory, now, founding, log } = this.#options;
    log(`leading in term ${term}`);
    const leases = new Leases({ store, now, log });
    const sessions = new Sessions({ store, directory, leases, term, now, log });
    leases.start();
    sessions.start();
    const token = (): string => randomBytes(TOKEN_BYTES).toString("base64url");
    const stops = [
      () => leases.stop(),
      () => sessions.stop(),
      startMembership(store, directory),
      startScheduling({ store, now, token, log }),
      startVoters({ store, now, log }),
      startFounding({ store, commands: founding ?? [], log }),
    ];
    this.#term = { number: term, sessions, stops };
  }

  #end(): void {
    const term = this.#term;
    this.#term = null;
    if (term === null) return;
    this.#options.log(`no longer leading (term ${term.number})`);
    for (const stop of term.stops) stop();
  }
}
