import { nodeIdOf } from "../names.js";
import type { AttachVerdict } from "../session/types.js";
import { CLIENT_PROTOCOL, encodeClientFrame } from "../wire/client-frames.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import type { LinkAddress, SlotHost } from "./slot-host.js";

type GoodVerdict = Extract<AttachVerdict, { ok: true }>;

/** What an owner says to clients besides the session's own messages. */
export class LinkAnswers {
  readonly #host: SlotHost;
  readonly #key: string;

  constructor(host: SlotHost, key: string) {
    this.#host = host;
    this.#key = key;
  }

  welcome(epoch: number, op: PeerMessageOf<"attach">, verdict: GoodVerdict): void {
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
  refuseAttach(epoch: number, op: PeerMessageOf<"attach">, code: string, message: string, retryAfterMs: number): void {
    const link = { id: op.link, generation: 0, ingress: op.ingress };
    this.#host.answerAttach(this.#key, epoch, link, op.socket, false, this.#problem(code, message, retryAfterMs));
  }

  /** The session knows no such link: its socket is closed, and the client says hello again. */
  unknownLink(epoch: number, link: LinkAddress): void {
    this.#host.deliver(this.#key, epoch, link, this.#problem("E_LINK_UNKNOWN", "the session knows no such link", 1), true);
  }

  #problem(code: string, message: string, retryAfterMs: number): Uint8Array {
    return encodeClientFrame(this.#host.scratch, { t: "problem", code, message, fatal: true, retryAfterMs });
  }
}
