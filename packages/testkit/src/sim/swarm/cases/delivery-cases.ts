import { type ClientFrame, type ClientFrameOf, type NodeRef, nodeIdOf, type PeerMessage, type SessionKey } from "@sojourn/core";
import type { SimNode } from "../../sim-cluster.js";
import type { World } from "../world.js";
import { sessionIn, slotAt } from "./places.js";

/** First bytes of frames to clients. */
const WELCOME = 7;
const PROBLEM = 11;
const CROSSING_MS = 5_000;
const CROWD = 32;
const CROWD_MS = 2_000;

/** A socket that said hello. */
interface Attached {
  readonly link: LinkSeen;
  readonly order: number;
}

/** What is known of one link from what its client says. */
interface LinkSeen {
  readonly session: SessionKey;
  /** How many hellos were seen, and the socket of the newest. */
  hellos: number;
  newest: number;
  /** A hello without an answer yet. */
  open: { readonly socket: number; readonly endpoint: string; readonly atMs: number } | null;
  readonly tokens: Set<string>;
  token: string;
}

/** Looks for the cases between clients and their sessions: sockets that cross, freezes under input, outboxes, tokens. */
export class DeliveryCases {
  readonly #world: World;
  readonly #links = new Map<string, LinkSeen>();
  readonly #sockets = new Map<number, Attached>();
  readonly #crowd: { readonly link: LinkSeen; readonly atMs: number }[] = [];
  /** Links whose outbox was full at the last turn of their session. */
  readonly #full = new Map<string, SessionKey>();
  #crashAtMs = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
  }

  up(endpoint: string, socket: number, frame: ClientFrame): void {
    const node = this.#world.cluster.nodes.get(endpoint.slice("sim://".length));
    if (node === undefined) return;
    if (frame.t === "hello") this.#hello(node, endpoint, socket, frame);
    else if (frame.t === "input" || frame.t === "ack") this.#frame(node, socket, frame.t === "input");
  }

  #hello(node: SimNode, endpoint: string, socket: number, { session, link: id, token, nextToken, epoch }: ClientFrameOf<"hello">): void {
    const world = this.#world;
    const host = node.runtime?.host;
    const slot = host?.slots.get(session);
    if (slot !== undefined && slot.role.kind !== "absent" && epoch > slot.fence) this.#reach("26");
    if (host !== undefined && host !== null && slot?.role.kind === "standby" && slot.cas.record?.heir === host.self) this.#reach("27");
    let link = this.#links.get(id);
    if (link === undefined) {
      link = { session, hellos: 0, newest: 0, open: null, tokens: new Set(), token };
      this.#links.set(id, link);
    }
    const mine = `${token}>${nextToken}`;
    if (link.tokens.has(mine) && link.token !== mine) {
      this.#reach("36"); // a thief's: nothing of it says what the client does
      return;
    }
    link.tokens.add(mine);
    link.token = mine;
    const { nowMs } = world;
    const { open } = link;
    if (open !== null && open.endpoint !== endpoint && nowMs - open.atMs < CROSSING_MS) this.#reach("29");
    link.open = { socket, endpoint, atMs: nowMs };
    link.hellos++;
    link.newest = socket;
    this.#sockets.set(socket, { link, order: link.hellos });
    this.#gather(link, nowMs);
  }

  #gather(link: LinkSeen, nowMs: number): void {
    if (nowMs - this.#crashAtMs > CROWD_MS) return;
    if (!this.#crowd.some((seen) => seen.link === link)) this.#crowd.push({ link, atMs: nowMs });
    if (this.#crowd.length === CROWD) this.#reach("35");
  }

  #frame(node: SimNode, socket: number, isInput: boolean): void {
    const attached = this.#sockets.get(socket);
    if (attached === undefined) return;
    const { link, order } = attached;
    if (order < link.hellos && socket !== link.newest) this.#reach("28");
    if (!isInput) return;
    const slot = node.runtime?.host?.slots.get(link.session);
    if (slot === undefined) return;
    const { owner, role } = slot;
    if (role.kind === "granted" || owner?.frozen === true) this.#reach("30");
    if (owner !== null) this.#deaf(node, link.session);
  }

  /** An owner that hears this client: does it hear anybody else? */
  #deaf(node: SimNode, session: SessionKey): void {
    const { cluster } = this.#world;
    if (!cluster.network.isCutAnywhere && !node.directory.faults.down) return;
    const record = cluster.directory.records.get(session);
    const cutOff = (ref: NodeRef) => {
      const address = cluster.nodes.get(nodeIdOf(ref))?.address;
      return address !== undefined && cluster.network.isCutBetween(address, node.address);
    };
    if (record === undefined || nodeIdOf(record.owner) !== node.id || record.inSync.length === 0) return;
    if (node.directory.faults.down || record.inSync.every(cutOff)) this.#reach("19");
  }

  down(socket: number, bytes: Uint8Array): void {
    if (bytes[0] !== WELCOME && bytes[0] !== PROBLEM) return;
    const link = this.#sockets.get(socket)?.link;
    if (link?.open?.socket === socket) link.open = null;
  }

  sent(type: PeerMessage["t"] | undefined, fate: "delivered" | "lost" | "cut"): void {
    if (fate !== "delivered" && (type === "linkAck" || type === "input")) this.#reach("33");
  }

  delivered(type: PeerMessage["t"] | undefined, to: NodeRef, bytes: Uint8Array): void {
    if (type !== "input" && type !== "attach") return;
    const key = sessionIn(bytes);
    if (key === null) return;
    const slot = slotAt(this.#world, to, key);
    if (slot === undefined) return;
    if (type === "input" && (slot.role.kind === "granted" || slot.owner?.frozen === true)) this.#reach("30");
    if (type === "attach" && slot.role.kind === "standby" && slot.cas.record?.heir === to) this.#reach("27");
  }

  turn(session: SessionKey): void {
    const { plan, cluster } = this.#world;
    const bound = plan.limits.maxOutboxMessages;
    if (bound === undefined || plan.limits.linkGraceMs !== undefined) return;
    for (const node of cluster.nodes.values()) {
      const slot = node.runtime?.host?.slots.get(session);
      if (slot === undefined || slot.owner === null) continue;
      const { links } = slot.owner.cell;
      for (const [link, of] of this.#full) {
        if (of !== session) continue;
        if (!links.has(link)) this.#reach("32c"); // nobody else removes a link whose client is away for so short
        this.#full.delete(link);
      }
      for (const link of links.values()) {
        if (link.ingress !== null) continue;
        if (link.outbox.length === bound - 1) this.#reach("32a");
        if (link.outbox.length !== bound) continue;
        this.#reach("32b");
        this.#full.set(link.id, session);
      }
    }
  }

  /** A handler has waited: where was its session when it began? */
  waited(session: SessionKey, began: NodeRef | null): void {
    if (began === null) return;
    const slot = slotAt(this.#world, began, session);
    if (slot?.owner?.frozen === true) this.#reach("31a");
    else if (slot !== undefined && slot.owner === null) this.#reach("31b");
  }

  crashing(): void {
    this.#crashAtMs = this.#world.nowMs;
    this.#crowd.length = 0;
  }

  #reach(id: string): void {
    this.#world.reached.count(`case ${id}`);
  }
}
