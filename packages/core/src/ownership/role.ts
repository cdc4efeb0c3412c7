import type { NodeRef, SessionKey } from "../names.js";
import type { SessionRecord } from "../ports/directory.js";
import type { SessionCell } from "../session/session-port.js";
import type { PeerMessage, PeerMessageOf } from "../wire/peer-messages.js";
import type { CasDriver } from "./cas-driver.js";
import type { DeltaLog } from "./delta-log.js";
import type { MoveReport, SlotHost } from "./slot-host.js";

/** A client's traffic towards the owner, in the form in which it can be passed on to another node. */
export type ClientOp = PeerMessageOf<"attach"> | PeerMessageOf<"input"> | PeerMessageOf<"linkAck"> | PeerMessageOf<"detach">;

/** Any other message about a session. */
export type SessionMessage = Exclude<
  PeerMessage,
  ClientOp | { t: "attached" | "output" | "route" | "misdirected" | "pullCache" | "cacheValue" | "unlink" | "ask" | "answer" }
>;

/** What a node is to a session. Each phase owns its timers and lets go of them in `stop`. */
export interface Role {
  readonly kind: "absent" | "standby" | "owner" | "granted" | "restoring";
  /** The session's state, where this role holds one. */
  readonly cell: SessionCell | null;
  onClient(from: NodeRef, op: ClientOp): void;
  onMessage(from: NodeRef, message: SessionMessage): void;
  /** A newer record became known. */
  onRecord(record: SessionRecord): void;
  /** The lease of this ref has ended. */
  onEnded(ref: NodeRef): void;
  /** This ref is suspected, or is it still: said again as long as it is. */
  onSuspected(ref: NodeRef): void;
  /** A connection to this ref stands again; what was sent before may be lost. */
  onUp(ref: NodeRef): void;
  /** The node's lease had run out for a while, without ending, and holds again: what was refused because of it is made up for. */
  onLeaseResumed(): void;
  /** The role is over; nothing of it may act any more. */
  stop(): void;
}

/** How a planned move ends for who asked for it. */
export interface MoveCallbacks {
  readonly moved: (report: MoveReport) => void;
  readonly failed: (code: "E_MOVE_REFUSED" | "E_MOVE_FAILED" | "E_NODE_CORDONED", message: string) => void;
}

/** How a session begins to be owned here. */
export interface OwnerStart {
  readonly cell: SessionCell;
  readonly epoch: number;
  /** Chain hash at the cell's version; for a created session its epoch decides. */
  readonly hash: number;
  /** Everything up to this version may have reached the clients. */
  readonly released: number;
  /** Whose acknowledgements are needed from the start. */
  readonly waitedFor: readonly NodeRef[];
  /** The latest deltas, up to the cell's version, where a copy kept them; the session store may lack some. */
  readonly recent?: DeltaLog;
  /** Who among them certainly holds the present version (the granter). */
  readonly upToDate: NodeRef | null;
  readonly cause:
    | { readonly kind: "created"; readonly lost: boolean }
    /** `stalenessMs`: for how long at most the copy had not heard from the owner before. */
    | { readonly kind: "promoted"; readonly from: NodeRef; readonly stalenessMs: number }
    /** Read from the session store. `complete`: it has everything that was released. */
    | {
        readonly kind: "restored";
        readonly from: NodeRef;
        readonly complete: boolean;
        readonly logTurns: number;
        readonly logBytes: number;
        readonly baseBytes: number;
      }
    /** `heirLost`: the heir may have run the session before its lease ended. */
    | { readonly kind: "resumed"; readonly heirLost: boolean }
    | { readonly kind: "taken"; readonly from: NodeRef; readonly attempt: number; readonly blackoutMs: number; readonly settleMs: number };
  /** What waited, in order. */
  readonly waiting: readonly ClientOp[];
}

/** How a session that only the session store may hold begins to be restored here. */
export interface RestoreStart {
  readonly epoch: number;
  /** The owner before. */
  readonly from: NodeRef;
  /** The record says that the store holds everything that was released. */
  readonly stored: boolean;
}

/** How the old owner stays after its GRANT. */
export interface GrantedStart {
  readonly cell: SessionCell;
  readonly grant: PeerMessageOf<"grant">;
  readonly to: NodeRef;
  readonly waiting: readonly ClientOp[];
  readonly startedAtMs: number;
  readonly frozenAtMs: number;
  readonly callbacks: MoveCallbacks;
}

/** How a node begins to hold a copy. */
export interface StandbyStart {
  readonly owner: NodeRef;
  /** Null when there is only a reservation so far. */
  readonly replica: { readonly cell: SessionCell; readonly version: number; readonly hash: number } | null;
  readonly epoch: number;
}

/** The session's place on this node, as its roles see it. */
export interface SlotPort {
  readonly key: SessionKey;
  readonly host: SlotHost;
  readonly cas: CasDriver;
  /** Newest epoch seen anywhere about this session; never goes back [9]. */
  readonly fence: number;
  /** Encoded size of the session when it was last taken whole here; 0 when it never was. */
  sizeBytes: number;
  raiseFence(epoch: number): void;
  becomeOwner(start: OwnerStart): void;
  becomeGranted(start: GrantedStart): void;
  becomeStandby(start: StandbyStart): void;
  becomeRestoring(start: RestoreStart): void;
  becomeAbsent(): void;
  /** Gives a message that ended a role to the role that followed it. */
  redeliver(from: NodeRef, message: SessionMessage): void;
}
