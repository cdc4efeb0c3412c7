import type { SessionKey, SessionMeter } from "@sojourn/core";
import type { KindProfile } from "./kind-profile.js";
import type { SessionDetails } from "./session-details.js";

/** Of the changes of a window, the first and one of every so many after it are looked at. A power of two. */
const LOOKED_AT_EVERY = 8;

/**
 * Counts what one session does at its owner: a few numbers, which go with the role. A turn touches this object alone, most of the time:
 * what is shared by many sessions is seldom in the cache when a turn ends.
 */
export class OwnerMeter implements SessionMeter {
  readonly key: SessionKey;
  readonly kind: KindProfile;
  details: SessionDetails | null;
  /** Turns of the present window. */
  turns = 0;
  /** Turns of the window before, until the next one ends. */
  lastTurns = 0;
  /** Encoded size when it was last known; 0 before. */
  stateBytes = 0;
  /** Bytes of changes since then. */
  grownBytes = 0;
  readonly #active: OwnerMeter[];
  #baseBytes = 0;

  /** @param active where it enters itself at its first turn of a window */
  constructor(key: SessionKey, kind: KindProfile, details: SessionDetails | null, active: OwnerMeter[]) {
    this.key = key;
    this.kind = kind;
    this.details = details;
    this.#active = active;
  }

  turn(delta: Uint8Array | null): void {
    const turns = this.turns + 1;
    this.turns = turns;
    if (turns === 1) this.#active.push(this);
    if (delta === null) return;
    this.grownBytes += delta.length;
    if ((turns & (LOOKED_AT_EVERY - 1)) === 1) this.#lookAt(delta.length);
  }

  /** The session takes so much, encoded. */
  encoded(bytes: number): void {
    this.stateBytes = bytes;
    this.grownBytes = 0;
  }

  /** What its owner encoded last took so much; 0: nothing yet. */
  noteBase(bytes: number): void {
    if (bytes === this.#baseBytes) return;
    // Changes from before the first one may have come after it.
    const { grownBytes } = this;
    const first = this.#baseBytes === 0;
    this.#baseBytes = bytes;
    this.encoded(bytes);
    if (first) this.grownBytes = grownBytes;
  }

  /** The window has ended, and it was taken off the list. */
  turnOver(): void {
    this.lastTurns = this.turns;
    this.turns = 0;
  }

  #lookAt(deltaBytes: number): void {
    this.kind.deltaBytes.record(deltaBytes);
    if (this.details !== null) this.details.deltaBytes.record(deltaBytes);
  }
}
