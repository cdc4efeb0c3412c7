import { type ErrorCode, errorCodeOf, type NodeRef, type PeerHealth, type PeersHandler, SojournError } from "@sojourn/core";

/** What a handler can be told besides messages. */
export type Notice = "up" | "down" | PeerHealth;

/**
 * Calls the user's handler one call at a time: what happens inside a call, or inside a call to the channel, is told right after it.
 * A handler that throws is reported and harms nobody else.
 */
export class HandlerGate {
  readonly #onProblem: (peer: NodeRef | null, code: ErrorCode, message: string) => void;
  #handler: PeersHandler | null = null;
  #busy = false;
  #notices: { readonly kind: Notice; readonly peer: NodeRef }[] = [];

  constructor(onProblem: (peer: NodeRef | null, code: ErrorCode, message: string) => void) {
    this.#onProblem = onProblem;
  }

  get isBound(): boolean {
    return this.#handler !== null;
  }

  bind(handler: PeersHandler): void {
    if (this.#handler !== null) throw new SojournError("E_INTERNAL", "the control channel is bound already");
    this.#handler = handler;
  }

  message(peer: NodeRef, message: Uint8Array): void {
    const handler = this.#handler;
    if (handler === null) return;
    this.#busy = true;
    try {
      handler.onMessage(peer, message);
    } catch (error) {
      this.#report(peer, error);
    }
    this.#busy = false;
    if (this.#notices.length > 0) this.#drain();
  }

  /** `now` from the event loop, `later` from a call of the user. */
  notice(kind: Notice, peer: NodeRef, when: "now" | "later"): void {
    this.#notices.push({ kind, peer });
    if (this.#busy) return;
    if (when === "now") this.#drain();
    else queueMicrotask(() => this.#drain());
  }

  #drain(): void {
    const handler = this.#handler;
    if (this.#busy || handler === null) return;
    for (let notice = this.#notices.shift(); notice !== undefined; notice = this.#notices.shift()) {
      this.#busy = true;
      try {
        if (notice.kind === "up") handler.onUp(notice.peer);
        else if (notice.kind === "down") handler.onDown(notice.peer);
        else handler.onHealth(notice.peer, notice.kind);
      } catch (error) {
        this.#report(notice.peer, error);
      }
      this.#busy = false;
    }
  }

  #report(peer: NodeRef, error: unknown): void {
    this.#onProblem(peer, errorCodeOf(error), `the handler threw: ${error instanceof Error ? error.message : String(error)}`);
  }
}
