import type { ClientFrame, NodeRef, PeerMessage, RecordDraft, SessionKey, SessionRecord } from "@sojourn/core";
import type { SimNode } from "../../sim-cluster.js";
import type { DiskFault } from "../../virtual-store.js";
import type { PlannedEvent } from "../plan.js";
import type { World } from "../world.js";
import type { WriteMeaning } from "../writes.js";
import { DeliveryCases } from "./delivery-cases.js";
import { DirectoryCases } from "./directory-cases.js";
import { OwnershipCases } from "./ownership-cases.js";
import { StateCases } from "./state-cases.js";
import { StrategyCases } from "./strategy-cases.js";

type FrameType = PeerMessage["t"] | undefined;

/** Counts how often each case of the catalogue came about in a run, by what really happens in it. */
export class Cases {
  readonly #ownership: OwnershipCases;
  readonly #directory: DirectoryCases;
  readonly #delivery: DeliveryCases;
  readonly #state: StateCases;
  readonly #strategies: StrategyCases;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.#ownership = new OwnershipCases(world);
    this.#directory = new DirectoryCases(world);
    this.#delivery = new DeliveryCases(world);
    this.#state = new StateCases(world);
    this.#strategies = new StrategyCases(world);
  }

  sent(type: FrameType, from: NodeRef, to: NodeRef, bytes: Uint8Array, fate: "delivered" | "lost" | "cut"): void {
    this.#ownership.sent(type, from, to, bytes);
    this.#delivery.sent(type, fate);
    this.#state.sent(type, from, bytes);
  }

  delivered(type: FrameType, from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    this.#ownership.delivered(type, from, to, bytes);
    this.#directory.delivered(type, from, to, bytes);
    this.#delivery.delivered(type, to, bytes);
    this.#state.delivered(type, bytes);
  }

  disconnected(a: NodeRef, b: NodeRef, silent: boolean): void {
    this.#ownership.disconnected(a, b, silent);
  }

  asked(key: SessionKey, draft: RecordDraft): void {
    this.#directory.asked(key, draft);
  }

  written(key: SessionKey, record: SessionRecord, previous: SessionRecord | null, meaning: WriteMeaning): void {
    this.#directory.written(record, previous, meaning, key);
    this.#state.written(meaning, key);
    this.#strategies.written(meaning, key);
  }

  leaseEnded(): void {
    this.#ownership.membersChanged();
  }

  /** A node's way to the directory is disturbed. */
  askFault(node: SimNode, kind: "lostAnswer" | "lateWrite" | "unreachable", write: boolean): void {
    this.#directory.fault(node, kind, write);
  }

  answered(kind: "read" | "renew", key: string, answer: unknown, tookMs: number): void {
    this.#directory.answered(kind, key, answer, tookMs);
  }

  up(endpoint: string, socket: number, frame: ClientFrame): void {
    this.#delivery.up(endpoint, socket, frame);
  }

  down(socket: number, bytes: Uint8Array): void {
    this.#delivery.down(socket, bytes);
  }

  turn(session: SessionKey, what: string): void {
    this.#ownership.turn(session, what);
    this.#delivery.turn(session);
  }

  waited(session: SessionKey, began: NodeRef | null): void {
    this.#delivery.waited(session, began);
  }

  crashing(node: SimNode): void {
    this.#ownership.crashing(node);
    this.#delivery.crashing();
    this.#strategies.crashing(node);
  }

  waking(node: SimNode): void {
    this.#ownership.waking(node);
  }

  batchEnded(moved: readonly boolean[]): void {
    this.#state.batchEnded(moved);
  }

  moveFailed(code: string, message: string): void {
    this.#state.moveFailed(code, message);
  }

  diskFault(fault: DiskFault): void {
    if (fault === "diskFull" && this.#world.moves.size > 0) this.#world.reached.count("case 43");
  }

  directoryFailed(what: "store" | "damage"): void {
    if (what === "damage") this.#world.reached.count("case 44b");
  }

  /** A planned event took place. */
  happened(what: PlannedEvent["do"], node: SimNode): void {
    if (what.startsWith("cut")) this.#ownership.cut();
    else if (what === "wallJump" || what === "wallStrobe") this.#directory.wallJumped(node);
    else if (what === "powerLoss" && [...this.#world.cluster.directory.records.values()].some(({ ended }) => !ended))
      this.#world.reached.count("case 45");
  }
}
