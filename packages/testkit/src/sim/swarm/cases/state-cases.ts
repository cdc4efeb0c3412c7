import type { NodeRef, PeerMessage, SessionKey } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import type { World } from "../world.js";
import type { WriteMeaning } from "../writes.js";
import { decode } from "./ownership-cases.js";
import { processOf, sessionIn, slotAt } from "./places.js";

/** `want` is the last field of an acknowledgement, before its checksum; 0 means that nothing is wanted. */
const CHECKSUM_BYTES = 4;

/** A frozen session with a timer. */
interface Frozen {
  readonly atMs: number;
  /** Until its next timer is due, from then. */
  readonly dueInMs: number;
}

/** Looks for the cases of copies, timers and damage. */
export class StateCases {
  readonly #world: World;
  readonly #frozen = new Map<SessionKey, Frozen>();

  constructor(world: World) {
    this.#world = world;
  }

  sent(type: PeerMessage["t"] | undefined, from: NodeRef, bytes: Uint8Array): void {
    switch (type) {
      case "ack":
        if (bytes[bytes.length - CHECKSUM_BYTES - 1] !== 0) this.#wanted(from, sessionIn(bytes));
        return;
      case "refuse":
        if (decode(bytes, "refuse")?.code === "E_STATE_VERSION") this.#reach("42");
        return;
      case "leave":
        this.#reach("41");
        return;
      case "grant":
        this.#freeze(from, bytes);
        return;
      case "taken":
        this.#thaw(sessionIn(bytes), "40a");
        return;
      default:
        return;
    }
  }

  /** A copy wants something else than it was sent; one that has nothing yet does not count. */
  #wanted(by: NodeRef, key: SessionKey | null): void {
    const role = key === null ? undefined : slotAt(this.#world, by, key)?.role;
    if (role?.kind === "standby" && role.cell !== null) this.#reach("37");
  }

  #freeze(from: NodeRef, bytes: Uint8Array): void {
    const key = sessionIn(bytes);
    const node = processOf(this.#world, from);
    if (key === null || node === null || this.#frozen.has(key)) return;
    const dueAt = slotAt(this.#world, from, key)?.role.cell?.nextTimerAtMs() ?? null;
    if (dueAt !== null) this.#frozen.set(key, { atMs: this.#world.nowMs, dueInMs: dueAt - node.clock.now() });
  }

  #thaw(key: SessionKey | null, id: string): void {
    const frozen = key === null ? undefined : this.#frozen.get(key);
    if (key === null || frozen === undefined) return;
    this.#frozen.delete(key);
    const tookMs = this.#world.nowMs - frozen.atMs;
    if (frozen.dueInMs >= 0 && frozen.dueInMs <= tookMs) this.#reach(id);
  }

  delivered(type: PeerMessage["t"] | undefined, bytes: Uint8Array): void {
    if ((type === "base" || type === "delta" || type === "grant") && this.#world.plan.network.corruption > 0 && isDamaged(bytes))
      this.#reach("44a");
  }

  written(meaning: WriteMeaning, key: SessionKey): void {
    if (meaning === "decline" || meaning === "takeBack") this.#thaw(key, "40b");
    else if (meaning !== "commit") this.#frozen.delete(key);
  }

  moveFailed(code: string, message: string): void {
    if (code === "E_MOVE_FAILED" && message.includes("did not catch up")) this.#reach("38");
  }

  batchEnded(moved: readonly boolean[]): void {
    if (moved.includes(true) && moved.includes(false)) this.#reach("39");
  }

  #reach(id: string): void {
    this.#world.reached.count(`case ${id}`);
  }
}

function isDamaged(bytes: Uint8Array): boolean {
  const end = bytes.length - CHECKSUM_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return view.getUint32(end, true) !== systemCrc32(bytes.subarray(0, end));
}
