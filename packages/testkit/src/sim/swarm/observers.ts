import {
  type ClientFrame,
  decodeClientFrame,
  decodePeerMessage,
  type NodeRef,
  nodeIdOf,
  type PeerMessage,
  type RecordDraft,
  type SessionKey,
  type SessionRecord,
} from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import type { SimNode } from "../sim-cluster.js";
import type { DiskFault } from "../virtual-store.js";
import { Cases } from "./cases/cases.js";
import { FRAME_TYPES } from "./frame-types.js";
import { OldAnswers } from "./old-answers.js";
import type { Moment, PlannedEvent } from "./plan.js";
import type { RunObserver, Trap } from "./run-observer.js";
import type { World } from "./world.js";
import { meaningOf, writerOf } from "./writes.js";

/** Watches everything that passes between the parts of a run: for the trace, for what was reached, and for traps. */
export class Observers implements RunObserver {
  readonly #world: World;
  /** Leases that have ended, and when. */
  readonly #ended = new Map<NodeRef, number>();
  readonly #traps: Trap[] = [];
  readonly #oldAnswers: OldAnswers | null;
  readonly #cases: Cases;

  constructor(world: World) {
    this.#world = world;
    this.#cases = new Cases(world);
    this.#oldAnswers = world.plan.faults.includes("replay") ? new OldAnswers() : null;
    const { cluster } = world;
    cluster.network.observer = {
      sent: (from, to, bytes, fate) => this.#sent(from, to, bytes, fate),
      delivered: (from, to, bytes, replayed) => this.#delivered(from, to, bytes, replayed),
      disconnected: (a, b, silent) => {
        world.trace.add(3, a, b, silent ? 1 : 0);
        world.trace.say(() => `${a} and ${b} are disconnected${silent ? " by silence" : ""}`);
        this.#cases.disconnected(a, b, silent);
      },
      fault: (kind) => world.reached.count(`fault ${kind}`),
    };
    cluster.directory.observer = {
      asked: (key, expected, draft) => this.#asked(key, expected, draft),
      written: (key, record, previous) => this.#written(key, record, previous),
      leaseEnded: (ref) => this.#leaseEnded(ref),
      failed: (what) => {
        world.trace.add(15, what, "", 0);
        world.trace.say(() =>
          what === "store" ? "the directory's store failed, and it has stopped" : "the directory finds its disk damaged",
        );
        world.reached.count(`directory stopped: ${what}`);
        this.#cases.directoryFailed(what);
      },
    };
    cluster.sockets.observer = {
      up: (endpoint, socket, frame, owner) => this.#up(endpoint, socket, frame, owner),
      down: (endpoint, socket, bytes, owner) => {
        world.trace.add(4, endpoint, "", socket, bytes.length);
        this.#cases.down(socket, bytes);
        world.trace.say(() => `${endpoint} → ${owner} on socket ${socket} ${describe(decodeClientFrame(bytes.slice()))}`);
      },
      cut: (endpoint, socket) => {
        world.trace.add(5, endpoint, "", socket);
        world.trace.say(() => `socket ${socket} to ${endpoint} is cut`);
      },
    };
  }

  /** A node was started. */
  watch(node: SimNode): void {
    const { world } = this;
    node.directory.observer = {
      fault: (kind, write) => {
        world.reached.count(`fault ${kind}`);
        world.trace.add(6, node.id, kind, write ? 1 : 0);
        this.#cases.askFault(node, kind, write);
      },
      answered: (kind, key, answer, tookMs) => this.#cases.answered(kind, key, answer, tookMs),
    };
  }

  get world(): World {
    return this.#world;
  }

  isEnded(ref: NodeRef): boolean {
    return this.#ended.has(ref);
  }

  setTrap(trap: Trap): void {
    if (this.#traps.length < 4) this.#traps.push(trap);
  }

  wantOldAnswer(): void {
    this.#oldAnswers?.want();
  }

  dropTraps(): void {
    this.#traps.length = 0;
  }

  #spring(moment: Moment, source: NodeRef, target: NodeRef): void {
    const at = this.#traps.findIndex((trap) => trap.moment === moment);
    const [trap] = at < 0 ? [] : this.#traps.splice(at, 1);
    if (trap === undefined) return;
    const world = this.#world;
    world.reached.count("fault crashAtStep");
    world.reached.count(`crash at ${moment} of ${["source", "target", "both"][trap.who]}`);
    // What the node does in the rest of this very moment still gets out.
    world.cluster.clock.schedule(0, () => {
      if (!world.active) return;
      if (trap.who !== 1) world.crash(nodeIdOf(source), trap.backAfterMs);
      if (trap.who !== 0) world.crash(nodeIdOf(target), trap.backAfterMs);
    });
  }

  // ---- between nodes ----

  #sent(from: NodeRef, to: NodeRef, bytes: Uint8Array, fate: "delivered" | "lost" | "cut"): void {
    const { trace } = this.#world;
    const type = FRAME_TYPES.get(bytes[0] as number);
    trace.add(7, from, to, checksumOf(bytes), fate === "delivered" ? bytes.length : -bytes.length);
    this.#cases.sent(type, from, to, bytes, fate);
    if (trace.keeps) trace.say(() => `${from} → ${to} ${fate === "delivered" ? "" : `(${fate}) `}${describePeer(bytes)}`);
    if (type === "grant" && fate !== "cut") this.#answerAgain(from, to, bytes);
    if (this.#traps.length === 0) return;
    if (type === "offer" || type === "grant" || type === "base") this.#spring(type, from, to);
    else if (type === "accept" || type === "taken") this.#spring(type, to, from);
    else if (type === "released") this.#spring("released", to, from);
  }

  #answerAgain(from: NodeRef, to: NodeRef, bytes: Uint8Array): void {
    const { cluster } = this.#world;
    const old = this.#oldAnswers?.granted(from, to, bytes) ?? null;
    if (old !== null) cluster.clock.schedule(0, () => cluster.network.sayAgain(to, from, old));
  }

  #delivered(from: NodeRef, to: NodeRef, bytes: Uint8Array, replayed: boolean): void {
    const { trace } = this.#world;
    trace.add(8, from, to, checksumOf(bytes), bytes.length);
    const type = FRAME_TYPES.get(bytes[0] as number);
    this.#cases.delivered(type, from, to, bytes);
    if (type === "taken" && !replayed) this.#oldAnswers?.taken(from, to, bytes);
    if (replayed && trace.keeps) trace.say(() => `${from} → ${to} (again) ${describePeer(bytes)}`);
  }

  // ---- the directory ----

  #asked(key: SessionKey, expected: number, draft: RecordDraft): void {
    this.#world.trace.add(9, key, draft.writer, expected, draft.epoch);
    this.#cases.asked(key, draft);
  }

  #written(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void {
    const world = this.#world;
    const meaning = meaningOf(record, previous, (ref) => this.isEnded(ref));
    world.trace.add(10, key, record.writer, record.revision, record.epoch);
    world.trace.say(
      () =>
        `${writerOf(record)} writes ${meaning}: ${key} revision ${record.revision} epoch ${record.epoch} owner ${record.owner} in-sync [${record.inSync}] heir ${record.heir}${record.stored ? " stored" : ""}${record.ended ? " ended" : ""}`,
    );
    world.reached.count(`write ${meaning}`);
    this.#cases.written(key, record, previous, meaning);
    const writer = writerOf(record);
    // What is told in the same moment may have been written before the lease ended.
    if ((this.#ended.get(writer) ?? Number.POSITIVE_INFINITY) < world.nowMs)
      world.problem(`rule 10: ${writer}, whose lease has ended, writes ${meaning} of ${key}`);
    // One that was granted may be acting: nobody else can know.
    if (meaning === "decline" && writer !== previous?.heir)
      world.problem(`rule 7: ${writer} takes ${key} back although the heir ${previous?.heir} lives`);
    if (previous !== null && record.epoch < previous.epoch)
      world.problem(`I3: the epoch of ${key} went back from ${previous.epoch} to ${record.epoch}`);
    const model = world.models.get(key);
    if (model === undefined) return;
    if (previous !== null && !previous.ended && !record.ended) this.#checkStored(key, record, previous);
    switch (meaning) {
      case "commit":
        world.handovers++;
        if (previous !== null) model.commits.push({ from: nodeIdOf(previous.owner), to: nodeIdOf(record.owner), atMs: world.nowMs });
        if (previous !== null) this.#spring("commit", previous.owner, record.owner);
        return;
      case "promote":
        world.failovers++;
        return;
      case "restore":
        this.#mayHaveLost(key, record, previous);
        this.#rolledBack(previous);
        world.failovers++;
        return;
      case "prepare":
        if (record.heir !== null) this.#spring("prepare", record.owner, record.heir);
        return;
      case "claim":
        if (previous !== null) model.releases.begin(previous.epoch, false);
        this.#spring("claim", record.owner, record.owner);
        return;
      case "claimLost":
        this.#lost(key, record, previous);
        return;
      case "end":
        if (model.life !== null) model.endedLives.add(model.life);
        return;
      default:
        return;
    }
  }

  /** [2, 3] The record names the store only while that holds what was released, and lets go of it only where somebody else does. */
  #checkStored(key: SessionKey, record: SessionRecord, previous: SessionRecord): void {
    const { world } = this;
    if (previous.stored && !record.stored && record.inSync.length === 0)
      world.problem(`rule 3: ${key} lets go of the store although nobody else is in-sync`);
    if (previous.stored || !record.stored) return;
    const { bases, logTo } = world.cluster.store.kept(key);
    const released = world.models.get(key)?.releases.version ?? 0;
    if (Math.max(logTo, bases.at(-1) ?? 0) < released)
      world.problem(`rule 2: the store is recorded as in-sync with ${key} without version ${released}, which was released`);
  }

  /** A session may only begin anew when nobody who held it is alive. */
  #lost(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void {
    const model = this.#world.models.get(key);
    if (model === undefined || previous === null) return;
    this.#mayHaveLost(key, record, previous);
    model.lost++;
    model.releases.begin(previous.epoch, true);
  }

  /**
   * A session goes on from the store although that was not in-sync, because every copy in memory is gone: what it has shown may be undone,
   * and what follows cannot be told from a contradiction.
   */
  #rolledBack(previous: SessionRecord | null): void {
    if (previous === null || previous.stored) return;
    this.#world.reached.count("rolled back");
    this.#world.rolledBack = true;
  }

  #mayHaveLost(key: SessionKey, record: SessionRecord, previous: SessionRecord | null): void {
    if (previous === null) return;
    const world = this.#world;
    const alive = [previous.owner, ...previous.inSync].filter((ref) => !this.isEnded(ref));
    if (alive.length > 0) world.problem(`I2: ${key} begins anew at ${record.owner} although ${alive.join(" and ")} held it`);
  }

  #leaseEnded(ref: NodeRef): void {
    if (this.#ended.has(ref)) return;
    this.#ended.set(ref, this.#world.nowMs);
    this.#world.trace.add(11, ref, "", 0);
    this.#world.trace.say(() => `the lease of ${ref} has ended`);
    this.#cases.leaseEnded();
    this.#world.invariants.leaseEnded(ref);
  }

  // ---- clients ----

  #up(endpoint: string, socket: number, frame: ClientFrame, owner: string): void {
    const world = this.#world;
    world.trace.add(12, endpoint, frame.t, socket, frame.t === "input" ? frame.seq : 0);
    this.#cases.up(endpoint, socket, frame);
    world.trace.say(() => `${owner} → ${endpoint} on socket ${socket} ${describe(frame)}`);
    if (frame.t === "hello" && owner !== "") {
      world.hellos.push(frame);
      if (world.hellos.length > 64) world.hellos.shift();
    }
  }

  // ---- the rest ----

  turn(session: SessionKey, what: string): void {
    const model = this.#world.models.get(session);
    // Its clients may hear of the end before its record says so.
    if (what === "end" && model !== undefined) model.ended++;
    this.#cases.turn(session, what);
  }

  waited(session: SessionKey, began: NodeRef | null): void {
    this.#cases.waited(session, began);
  }

  crashing(node: SimNode): void {
    this.#cases.crashing(node);
  }

  waking(node: SimNode): void {
    this.#cases.waking(node);
  }

  batchEnded(moved: readonly boolean[]): void {
    this.#cases.batchEnded(moved);
  }

  moveFailed(code: string, message: string): void {
    this.#cases.moveFailed(code, message);
  }

  diskFault(fault: DiskFault): void {
    const world = this.#world;
    world.trace.add(16, fault, "", 0);
    world.trace.say(() => `the directory's disk: ${fault}`);
    if (fault !== "diskFull") world.reached.count(`fault ${fault}`);
    this.#cases.diskFault(fault);
  }

  happened(what: PlannedEvent["do"], node: SimNode): void {
    this.#world.reached.count(`fault ${what}`);
    this.#cases.happened(what, node);
  }
}

/** A message ends with its checksum. */
function checksumOf(bytes: Uint8Array): number {
  const end = bytes.length;
  return (
    ((bytes[end - 1] as number) << 24) | ((bytes[end - 2] as number) << 16) | ((bytes[end - 3] as number) << 8) | (bytes[end - 4] as number)
  );
}

function describePeer(bytes: Uint8Array): string {
  try {
    return describe(decodePeerMessage(systemCrc32, bytes.slice()));
  } catch {
    return "(damaged)";
  }
}

/** A message for people. */
function describe(message: PeerMessage | ClientFrame): string {
  const parts = Object.entries(message).flatMap(([name, value]) => {
    if (name === "t" || value === null) return [];
    if (value instanceof Uint8Array) return [`${name} ${value.length} B`];
    if (Array.isArray(value)) return [`${name} [${value.map((part) => (part instanceof Uint8Array ? `${part.length} B` : part))}]`];
    return [`${name} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`];
  });
  return `${message.t} ${parts.join(" ")}`;
}
