import { decodePeerMessage, type NodeRef, nodeIdOf, type PeerMessage, type RecordDraft } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import type { Verdict } from "./faults.js";
import type { SimCluster } from "./sim-cluster.js";
import type { WriteVerdict } from "./virtual-directory.js";

/** One message between two nodes, as it is about to be sent. */
export interface Frame {
  readonly from: NodeRef;
  readonly to: NodeRef;
  readonly message: PeerMessage;
  readonly bytes: Uint8Array;
}

/** What a write to a session's record means in the protocol. */
export type WriteKind = "claim" | "join" | "leave" | "prepare" | "commit" | "decline" | "takeBack" | "promote" | "end";

/** One write of a session's record, as it is about to be sent. */
export interface Write {
  readonly kind: WriteKind;
  readonly by: NodeRef;
  readonly draft: RecordDraft;
}

/** How often a tap was reached; a case that is never reached is not tested. */
export interface Reached {
  times: number;
}

interface FrameTap {
  readonly matches: (frame: Frame) => boolean;
  readonly act: (frame: Frame) => Verdict | undefined;
  readonly times: number;
  readonly reached: Reached;
}

interface WriteTap {
  readonly kind: WriteKind;
  readonly act: (write: Write) => WriteVerdict | undefined;
  readonly times: number;
  readonly reached: Reached;
}

/** Hooks into single steps of the protocol: messages between nodes by their type, and writes of records by their meaning. */
export class Taps {
  readonly frames: Frame[] = [];
  readonly writes: Write[] = [];
  readonly #cluster: SimCluster;
  readonly #key: string;
  readonly #frameTaps: FrameTap[] = [];
  readonly #writeTaps: WriteTap[] = [];
  /** Frames and writes are recorded while this is set. */
  recording = false;

  constructor(cluster: SimCluster, key: string) {
    this.#cluster = cluster;
    this.#key = key;
    cluster.network.intercept = ({ from, to, bytes }) => this.#onFrame(from, to, bytes);
    for (const id of cluster.nodes.keys()) this.tapDirectory(id);
  }

  /** A node that was started again has a new directory client. */
  tapDirectory(id: string): void {
    this.#cluster.node(id).directory.intercept = (key, draft) => (key === this.#key ? this.#onWrite(draft) : undefined);
  }

  /** Acts on the first `times` messages of this type (and of this node, where given). */
  onFrame(
    type: PeerMessage["t"] | ((frame: Frame) => boolean),
    act: (frame: Frame) => Verdict | undefined,
    { times = 1, from, to }: { times?: number; from?: string; to?: string } = {},
  ): Reached {
    const reached = { times: 0 };
    const matches = (frame: Frame) =>
      (typeof type === "string" ? frame.message.t === type : type(frame)) &&
      (from === undefined || nodeIdOf(frame.from) === from) &&
      (to === undefined || nodeIdOf(frame.to) === to);
    this.#frameTaps.push({ matches, act, times, reached });
    return reached;
  }

  /** Acts on the first `times` writes of this kind. */
  onWrite(kind: WriteKind, act: (write: Write) => WriteVerdict | undefined, times = 1): Reached {
    const reached = { times: 0 };
    this.#writeTaps.push({ kind, act, times, reached });
    return reached;
  }

  clear(): void {
    this.#frameTaps.length = 0;
    this.#writeTaps.length = 0;
  }

  #onFrame(from: NodeRef, to: NodeRef, bytes: Uint8Array): Verdict | undefined {
    if (!this.recording && this.#frameTaps.length === 0) return undefined;
    const frame: Frame = { from, to, message: decodePeerMessage(systemCrc32, bytes.slice()), bytes };
    if (this.recording) this.frames.push(frame);
    for (const tap of this.#frameTaps) {
      if (tap.reached.times >= tap.times || !tap.matches(frame)) continue;
      tap.reached.times++;
      const verdict = tap.act(frame);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #onWrite(draft: RecordDraft): WriteVerdict | undefined {
    const write: Write = { kind: this.#kindOf(draft), by: draft.writer.slice(0, draft.writer.indexOf("/")), draft };
    if (this.recording) this.writes.push(write);
    for (const tap of this.#writeTaps) {
      if (tap.kind !== write.kind || tap.reached.times >= tap.times) continue;
      tap.reached.times++;
      const verdict = tap.act(write);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #kindOf(draft: RecordDraft): WriteKind {
    const by = draft.writer.slice(0, draft.writer.indexOf("/"));
    // What the writer knew is what its draft was made from.
    const now = this.#cluster.node(nodeIdOf(by)).runtime?.host?.slots.get(this.#key)?.cas.record ?? null;
    if (draft.ended) return "end";
    if (now === null || now.ended) return "claim";
    if (draft.owner !== by) return "decline";
    if (draft.owner !== now.owner) return now.heir === by && draft.inSync.includes(now.owner) ? "commit" : "promote";
    if (draft.epoch > now.epoch) return "takeBack";
    if (draft.heir !== null && now.heir === null) return "prepare";
    return draft.inSync.length >= now.inSync.length ? "join" : "leave";
  }
}
