import { decodePeerMessage, type NodeRef, type SessionKey } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";

/** A TAKEN that was heard. */
interface Answer {
  readonly session: SessionKey;
  readonly from: NodeRef;
  readonly to: NodeRef;
  readonly bytes: Uint8Array;
}

const MAX_KEPT = 64;

/** Keeps the answers of earlier hand-overs, so that one can be heard again at the worst moment: while a later GRANT is on its way. */
export class OldAnswers {
  readonly #kept: Answer[] = [];
  /** How many of the next GRANTs meet an old answer. */
  #wanted = 0;

  want(): void {
    this.#wanted++;
  }

  taken(from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    const session = sessionOf(bytes);
    if (session === null) return;
    if (this.#kept.length === MAX_KEPT) this.#kept.shift();
    this.#kept.push({ session, from, to, bytes: bytes.slice() });
  }

  /** A GRANT leaves. @returns what its sender has heard from its target after an earlier one, when that is wanted and was */
  granted(from: NodeRef, to: NodeRef, bytes: Uint8Array): Uint8Array | null {
    if (this.#wanted === 0) return null;
    const session = sessionOf(bytes);
    const old = this.#kept.findLast((answer) => answer.session === session && answer.from === to && answer.to === from);
    if (old === undefined) return null;
    this.#wanted--;
    return old.bytes;
  }
}

function sessionOf(bytes: Uint8Array): SessionKey | null {
  try {
    const message = decodePeerMessage(systemCrc32, bytes.slice());
    return "session" in message ? message.session : null;
  } catch {
    return null; // damaged
  }
}
