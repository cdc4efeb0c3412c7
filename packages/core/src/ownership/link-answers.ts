import type { SojournError } from "../errors/sojourn-error.js";
import { nodeIdOf } from "../names.js";
import type { AttachVerdict } from "../session/types.js";
import { CLIENT_PROTOCOL, encodeClientFrame } from "../wire/client-frames.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { SlotHost } from "./slot-host.js";

type GoodVerdict = Extract<AttachVerdict, { ok: true }>;

/** The owner that answers. */
export interface AnsweringOwner {
  readonly epoch: number;
  /** [12] Runs what shows the session as it is now, once nothing of that can be lost or contradicted any more. */
  afterRelease(say: () => void): void;
}

/** What an owner says to clients besides the session's own messages. */
export class LinkAnswers {
  readonly #host: SlotHost;
  readonly #key: string;
  readonly #owner: AnsweringOwner;

  constructor(host: SlotHost, key: string, owner: AnsweringOwner) {
    this.#host = host;
    this.#key = key;
    this.#owner = owner;
  }

  welcome(op: PeerMessageOf<"attach">, verdict: GoodVerdict): void {
    const { epoch } = this.#owner;
    const { lastIn, nextOut, generation, recovered, reason, lostOutputs, lostInputs } = verdict;
    const { self, limits } = this.#host;
    const frame = encodeClientFrame(this.#host.scratch, {
      t: "welcome",
      protocol: CLIENT_PROTOCOL,
      epoch,
      lastIn,
      nextOut,
      generation,
      recovered,
      reason,
      lostOutputs,
      lostInputs,
      owner: nodeIdOf(self),
      endpoint: this.#host.endpointOf(self),
      heartbeatMs: limits.clientHeartbeatMs,
    });
    this.#host.answerAttach(this.#key, epoch, { id: op.link, generation, ingress: op.ingress }, op.socket, true, frame);
  }

  /** The attach is refused, and its socket closed. */
  refuseAttach(op: PeerMessageOf<"attach">, code: string, message: string, retryAfterMs: number): void {
    const link = { id: op.link, generation: 0, ingress: op.ingress };
    this.#host.answerAttach(this.#key, this.#owner.epoch, link, op.socket, false, this.#problem(code, message, retryAfterMs));
  }

  /** The attach was judged by the session as it is. */
  refuseByVerdict(op: PeerMessageOf<"attach">, { code, message }: SojournError): void {
    this.#owner.afterRelease(() => this.refuseAttach(op, code, message, 0));
  }

  /** The session knows no such link: its socket is closed, and the client says hello again. */
  unknownLink({ link, generation, ingress }: PeerMessageOf<"input"> | PeerMessageOf<"linkAck">): void {
    this.#owner.afterRelease(() => {
      const problem = this.#problem("E_LINK_UNKNOWN", "the session knows no such link", 1);
      this.#host.deliver(this.#key, this.#owner.epoch, { id: link, generation, ingress }, problem, true);
    });
  }

  #problem(code: string, message: string, retryAfterMs: number): Uint8Array {
    return encodeClientFrame(this.#host.scratch, { t: "problem", code, message, fatal: true, retryAfterMs });
  }
}
