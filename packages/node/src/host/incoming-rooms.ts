import type { SessionKey } from "@sojourn/core";

/** Room that was promised to sessions which are offered to this node, until they have come or the offer is over [15]. */
export class IncomingRooms {
  readonly #max: number;
  readonly #hasRoom: (coming: number) => boolean;
  readonly #reserved = new Set<SessionKey>();
  /** Copies to keep that were promised room and have not begun to come. */
  readonly #coming = new Set<SessionKey>();

  /** @param hasRoom whether one more copy can be kept when so many others are still to come */
  constructor(max: number, hasRoom: (coming: number) => boolean) {
    this.#max = max;
    this.#hasRoom = hasRoom;
  }

  get size(): number {
    return this.#reserved.size;
  }

  reserve(key: SessionKey, toKeep: boolean): "reserved" | "full" {
    if (toKeep && !this.#hasRoom(this.#coming.size)) return "full";
    if (this.#reserved.size >= this.#max && !this.#reserved.has(key)) return "full";
    this.#reserved.add(key);
    if (toKeep) this.#coming.add(key);
    return "reserved";
  }

  release(key: SessionKey): void {
    this.#reserved.delete(key);
    this.#coming.delete(key);
  }

  /** Its copy has begun to come, and counts by itself. */
  began(key: SessionKey): void {
    this.#coming.delete(key);
  }
}
