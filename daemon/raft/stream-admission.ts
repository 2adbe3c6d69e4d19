import type { PeerHello, PeerRefusal } from "./peer-identity.ts";
import type { Introduction } from "./transport.ts";

/** What comes before both ends have decided; more is lost, as messages may be. */
const HELD_MAX = 1024;

/**
 * One stream of messages in a network inside one process: what comes is held until both ends have let the other one in, then
 * checked one by one. Whoever is refused is told so, though over a real network its own next dial would tell it.
 */
export class StreamAdmission {
  readonly #receiver: Introduction;
  readonly #sender: Introduction;
  readonly #hello: PeerHello;
  readonly #tell: (answer: () => void) => void;
  #state: "asked" | "open" | "over" = "asked";
  #held: (() => void)[] = [];

  /** @param tell carries an answer to the process of the sender */
  constructor(receiver: Introduction, sender: Introduction, tell: (answer: () => void) => void) {
    this.#receiver = receiver;
    this.#sender = sender;
    this.#hello = sender.gate.hello();
    this.#tell = tell;
    this.#greet().catch(() => {
      // The log of one end has failed, and its member ends.
      this.#state = "over";
    });
  }

  /** It was refused; another one may be tried. */
  get over(): boolean {
    return this.#state === "over";
  }

  /** @param batch of the sender, which the message may rest on */
  take(batch: number, deliver: () => void): void {
    if (this.#state === "asked" && this.#held.length < HELD_MAX) {
      this.#held.push(() => this.take(batch, deliver));
    }
    if (this.#state !== "open") return;
    const refusal = this.#receiver.gate.hear(this.#hello.member, this.#hello, batch);
    if (refusal === null) deliver();
    else this.#refuseSender(refusal);
  }

  async #greet(): Promise<void> {
    const refusal = await this.#receiver.gate.admit(this.#hello.member, this.#hello);
    if (refusal !== null) return this.#refuseSender(refusal);
    const answer = this.#receiver.gate.hello();
    this.#tell(() => this.#sender.admitted(answer.member));
    const unwanted = await this.#sender.gate.admit(answer.member, answer);
    if (unwanted !== null) return this.#refuseReceiver(answer.member, unwanted);
    this.#state = "open";
    for (const each of this.#held.splice(0)) each();
  }

  #refuseSender(refusal: PeerRefusal): void {
    this.#end();
    const { gate } = this.#receiver;
    gate.refusals.add(`the raft stream of member ${this.#hello.member}`, refusal);
    this.#tell(() => this.#sender.refused(gate.hello().member, refusal, gate.leads()));
  }

  #refuseReceiver(member: number, refusal: PeerRefusal): void {
    this.#end();
    const { gate } = this.#sender;
    gate.refusals.add(`to send to member ${member}`, refusal);
    this.#receiver.refused(this.#hello.member, refusal, gate.leads());
  }

  #end(): void {
    this.#state = "over";
    this.#held = [];
  }
}
