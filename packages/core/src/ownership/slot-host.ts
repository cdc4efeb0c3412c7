import type { ByteWriter } from "../bytes/writer.js";
import type { Limits } from "../limits/catalogue.js";
import type { NodeRef, SessionKey } from "../names.js";
import type { Crc32 } from "../ports/checksum.js";
import type { Clock } from "../ports/clock.js";
import type { StateCodec } from "../ports/codec.js";
import type { Directory, SessionRecord } from "../ports/directory.js";
import type { Lane, SendOutcome } from "../ports/peers.js";
import type { Random } from "../ports/random.js";
import type { SessionMeter } from "../ports/session-meter.js";
import type { SessionCell, SessionFactory } from "../session/session-port.js";
import type { StoreWriter } from "../store/store-writer.js";
import type { PeerMessage } from "../wire/peer-messages.js";

/** A finished hand-over as its source saw it. */
export interface MoveReport {
  readonly session: SessionKey;
  readonly from: NodeRef;
  readonly to: NodeRef;
  readonly epoch: number;
  /** Freeze → TAKEN received, on the source's clock. */
  readonly blackoutMs: number;
  /** OFFER sent → TAKEN received. */
  readonly totalMs: number;
}

/** A client came back that had seen or sent more than the session knows, which goes on from an older copy. */
export interface LossReport {
  readonly session: SessionKey;
  readonly link: string;
  /** Messages that it has seen of turns that are lost. */
  readonly lostOutputs: number;
  /** Inputs of it that were confirmed and are undone. */
  readonly lostInputs: number;
}

/** `silent`: it has answered nobody for a while. `gone`: its process does not exist any more, by all that can be seen. */
export type Suspicion = "none" | "silent" | "gone";

/** Where a client's socket is: the ingress node and the attach it belongs to. */
export interface LinkAddress {
  readonly id: string;
  readonly generation: number;
  readonly ingress: NodeRef | null;
}

/** What the roles of a session need from the node they run on. Everything that touches the outside goes through here. */
export interface SlotHost {
  readonly self: NodeRef;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly crc32: Crc32;
  readonly directory: Directory;
  /** The way to the session store; null without one. */
  readonly store: StoreWriter | null;
  /** Scratch space for encoding one client frame at a time. */
  readonly scratch: ByteWriter;
  nextRequest(): number;
  /** True while this node may act [10]: measured on the monotonic clock from the sending of the last renewal. */
  leaseValid(): boolean;
  /** Whether the directory has said that this ref's lease has ended. */
  isEnded(ref: NodeRef): boolean;
  /** Whether this ref's life is over: its lease has ended, or nobody knows of it any more. */
  isGone(ref: NodeRef): boolean;
  isUp(ref: NodeRef): boolean;
  /** What speaks against the life of another node whose lease has not ended; on silence alone only a node that is not cut off itself judges. */
  suspicionOf(ref: NodeRef): Suspicion;
  rttMs(ref: NodeRef): number | undefined;
  /** Whatever this node sent before this moment has arrived, if it was received at all; on this node's monotonic clock. */
  heardUntilMs(ref: NodeRef): number;
  /** Counts what this node does as the owner of a session. */
  meterOf?(key: SessionKey): SessionMeter | null;
  factoryOf(key: SessionKey): SessionFactory | null;
  codecOf(key: SessionKey): StateCodec | null;
  send(to: NodeRef, lane: Lane, message: PeerMessage): SendOutcome;
  /** The structure table that `bytes` rely on, unless the peer is known to have it over its present connection. */
  tableFor(to: NodeRef, key: SessionKey, bytes: readonly Uint8Array[]): Uint8Array | null;
  /** The peer said that it lacks a table: it will be sent again. */
  forgetTables(to: NodeRef): void;
  /** Hands one client frame to the link's socket, here or at its ingress. */
  deliver(key: SessionKey, epoch: number, link: LinkAddress, frame: Uint8Array, close: boolean): void;
  /** The link's socket at this address is not the session's any more; it may serve as a spare. */
  unlink(key: SessionKey, link: LinkAddress): void;
  /** Answers an attach: the frame is the client's welcome or a fatal problem. */
  answerAttach(key: SessionKey, epoch: number, link: LinkAddress, socket: number, ok: boolean, frame: Uint8Array): void;
  /** Makes known at this node (and its clients) who owns the session now. */
  ownerChanged(key: SessionKey, epoch: number, owner: NodeRef, from: NodeRef, blackoutMs: number, settleMs: number): void;
  /** The client endpoint of a node, or "" when unknown. */
  endpointOf(ref: NodeRef): string;
  /** Living nodes that could hold a copy of the session, best first: another failure domain, then near. */
  rankStandbys(key: SessionKey): readonly NodeRef[];
  /**
   * Reserves room for an incoming session, unless the node takes in too many at once, is cordoned, or (for a copy to keep) holds enough
   * copies already. Released by `releaseRoom`.
   */
  reserveRoom(key: SessionKey, toKeep: boolean): "reserved" | "full" | "cordoned";
  releaseRoom(key: SessionKey): void;
  /** What the copy of this session takes now; 0: there is none. */
  noteCopy(key: SessionKey, bytes: number): void;
  /** Copies take all the memory that they may. */
  readonly copiesFull: boolean;
  /** Begins a take-over when it is its turn [8: at a bounded rate, by priority]; `done` is called when it has ended. */
  promote(key: SessionKey, takeOver: (done: () => void) => void): void;
  onMoved(report: MoveReport): void;
  /** A copy here has taken over from a node that was lost, or only suspected. */
  onPromoted(key: SessionKey, onSuspicion: boolean): void;
  /** Turns that a client knew of are lost (`durability: "eventual"`). */
  onTurnsLost(report: LossReport): void;
  /** Something worth knowing that nobody waits for (refused messages, lost sessions); never on the hot path. */
  onIncident(key: SessionKey, code: string, message: string): void;
  /** The slot is empty now, but this cell keeps lazy cache entries that the present owner may pull until their retention ends. */
  retain(key: SessionKey, cell: SessionCell): void;
  /** A write of this node to the record stands. */
  onRecord(key: SessionKey, record: SessionRecord): void;
}
