import {
  ByteWriter,
  type ClientOp,
  type Clock,
  type Crc32,
  type Directory,
  decodePeerMessage,
  encodePeerMessage,
  errorCodeOf,
  type Lane,
  type Limits,
  type LinkAddress,
  type LossReport,
  type MoveReport,
  type NodeRef,
  needsStore,
  type PeerHealth,
  type PeerMessage,
  type PeerMessageOf,
  type Peers,
  type PeersHandler,
  type Priority,
  type Random,
  type RecordChange,
  type SendOutcome,
  type SessionCell,
  type SessionDefinition,
  type SessionFactory,
  type SessionKey,
  type SessionMeter,
  type SessionRecord,
  type SessionStore,
  Slot,
  type SlotHost,
  SojournError,
  type StateCodec,
  StoreWriter,
  type Suspicion,
  type TurnScope,
} from "@sojourn/core";
import { CachePulls } from "./cache-pulls.js";
import { expectedOf } from "./expected.js";
import { Finder } from "./finder.js";
import { HeldCopies } from "./held-copies.js";
import type { HostObserver, HostProfiler } from "./host-observer.js";
import { IncomingRooms } from "./incoming-rooms.js";
import { Ingress } from "./ingress.js";
import { Kinds } from "./kinds.js";
import { KnownTables } from "./known-tables.js";
import { addressOf } from "./link-address.js";
import type { Membership } from "./membership.js";
import { PeerRequests } from "./peer-requests.js";
import { Promotions } from "./promotions.js";
import { rankStandbys } from "./rank-standbys.js";
import { Routes } from "./routes.js";
import { Suspicions } from "./suspicions.js";

/** What a host runs on. */
export interface HostPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly crc32: Crc32;
  readonly scope: TurnScope;
  readonly limits: Limits;
  readonly directory: Directory;
  readonly peers: Peers;
  readonly definitions: readonly SessionDefinition[];
  /** Null or absent: without one. */
  readonly store?: SessionStore | null;
  readonly observer: HostObserver;
  /** Learns what the sessions here are like. */
  readonly profiler?: HostProfiler;
  /** Carries out a command (JSON) that came over another node, and answers it (JSON). */
  readonly onCommand: (body: string) => Promise<string>;
}

/**
 * One life of a node (one incarnation): its slots, and the traffic between them, the other nodes and the clients. It ends with the
 * lease; the next life starts with nothing.
 */
export class Host implements SlotHost, PeersHandler {
  readonly self: NodeRef;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: Limits;
  readonly crc32: Crc32;
  readonly directory: Directory;
  readonly store: StoreWriter | null;
  readonly ingress: Ingress;
  readonly membership: Membership;
  readonly #peers: Peers;
  readonly #observer: HostObserver;
  readonly #kinds: Kinds;
  readonly #profiler: HostProfiler | null;
  readonly #slots = new Map<SessionKey, Slot>();
  readonly #routes: Routes;
  readonly #tables = new KnownTables();
  readonly #pulls: CachePulls;
  readonly #commands: PeerRequests<string>;
  readonly #onCommand: (body: string) => Promise<string>;
  readonly finder: Finder;
  readonly #copies: HeldCopies;
  readonly #rooms: IncomingRooms;
  readonly #promotions: Promotions;
  readonly #suspicions: Suspicions;
  readonly scratch = new ByteWriter(4_096);
  readonly #writer = new ByteWriter(4_096);
  readonly #unwatch: () => void;
  /** When the connection to a node was lost that is not back. */
  readonly #downSinceMs = new Map<NodeRef, number>();
  #requests = 0;
  #over = false;

  constructor(self: NodeRef, membership: Membership, ports: HostPorts) {
    const { clock, random, limits, crc32, scope, directory, peers, definitions, observer } = ports;
    this.self = self;
    this.clock = clock;
    this.random = random;
    this.limits = limits;
    this.crc32 = crc32;
    this.directory = directory;
    this.store = ports.store == null ? null : new StoreWriter(ports.store, clock, limits);
    this.membership = membership;
    this.#peers = peers;
    this.#observer = observer;
    this.#profiler = ports.profiler ?? null;
    this.#routes = new Routes(limits.maxRoutes);
    this.#copies = new HeldCopies(limits.maxCopyBytes);
    this.#rooms = new IncomingRooms(limits.maxIncomingMoves, (coming) => this.#copies.hasRoom(coming));
    this.#promotions = new Promotions(limits.maxPromotionsInFlight);
    this.#pulls = new CachePulls({
      clock,
      limits,
      send: (to, lane, message) => this.send(to, lane, message),
      codecOf: (key) => this.codecOf(key),
      cellOf: (key) => this.#slots.get(key)?.cell ?? null,
    });
    this.#commands = new PeerRequests(clock, limits.commandTimeoutMs, "the command may have been carried out");
    this.#onCommand = ports.onCommand;
    this.#kinds = new Kinds({
      self,
      definitions,
      clock,
      random,
      scope,
      limits,
      pullCache: (from, session, key) => this.#pulls.pull(from, session, key),
      onHandlerError: (session, where, error) => observer.handlerError(session, where, error),
      timerOf: (kind) => ports.profiler?.timerOf(kind),
    });
    this.finder = new Finder({
      self,
      clock,
      limits,
      directory,
      hasStore: this.store !== null,
      routes: this.#routes,
      isEnded: (ref) => this.isEnded(ref),
      learned: (key, record) => this.#slots.get(key)?.onRecord(record),
      isWanted: (key, record) => this.ingress.wants(key, record),
      refuseCreation: (key) => this.#refuseCreation(key),
      beginning: (key) => this.#kinds.beginning(key),
      purge: (key, epoch) => this.#purge(key, epoch),
      create: (key, lost, change) => this.#create(key, lost, change),
    });
    this.ingress = new Ingress({
      self,
      clock,
      limits,
      routes: this.#routes,
      dispatch: (op) => this.#dispatch(op),
      resolve: (session) => this.finder.resolve(session),
      expected: (session) => expectedOf(this, session, this.#slots.get(session), this.#routes.get(session)?.owner),
      endpointOf: (ref) => this.endpointOf(ref),
    });
    const others = () => membership.others().map(({ ref }) => ref);
    this.#suspicions = new Suspicions({ clock, limits, others, slots: () => this.#slots.values() });
    peers.bind(this);
    this.#unwatch = directory.watchRecords(self, (key, record) => this.#onWatched(key, record));
  }

  // ---- what is here ----

  get slots(): ReadonlyMap<SessionKey, Slot> {
    return this.#slots;
  }

  /** Sessions that this node owns. */
  ownedKeys(): SessionKey[] {
    const keys: SessionKey[] = [];
    for (const slot of this.#slots.values()) if (slot.role.kind === "owner") keys.push(slot.key);
    return keys;
  }

  /** Who is believed to own a session. */
  ownerOf(key: SessionKey): NodeRef | null {
    if (this.#slots.get(key)?.role.kind === "owner") return this.self;
    return this.#routes.get(key)?.owner ?? null;
  }

  nextRequest(): number {
    this.#requests++;
    return this.#requests;
  }

  leaseValid(): boolean {
    return !this.#over && this.membership.leaseValid();
  }
  isEnded(ref: NodeRef): boolean {
    return this.membership.isEnded(ref);
  }
  isGone(ref: NodeRef): boolean {
    return ref !== this.self && (this.isEnded(ref) || this.membership.entryOf(ref) === undefined);
  }
  isUp(ref: NodeRef): boolean {
    return ref === this.self || this.#peers.isUp(ref);
  }
  suspicionOf(ref: NodeRef): Suspicion {
    return this.isEnded(ref) ? "none" : this.#suspicions.of(ref);
  }
  rttMs(ref: NodeRef): number | undefined {
    return this.#peers.rttMs(ref);
  }
  /** A connection that is silent for `peerTimeoutMs` counts as lost: what was sent before then has arrived. */
  heardUntilMs(ref: NodeRef): number {
    const downAtMs = this.isUp(ref) ? this.clock.now() : (this.#downSinceMs.get(ref) ?? Number.NEGATIVE_INFINITY);
    return downAtMs - this.limits.peerTimeoutMs;
  }
  meterOf(key: SessionKey): SessionMeter | null {
    return this.#profiler?.meterOf(key) ?? null;
  }
  factoryOf(key: SessionKey): SessionFactory | null {
    return this.#kinds.factoryOf(key);
  }
  codecOf(key: SessionKey): StateCodec | null {
    return this.#kinds.codecOf(key);
  }
  endpointOf(ref: NodeRef): string {
    if (ref === this.self) return this.membership.info.clientEndpoint;
    return this.membership.entryOf(ref)?.info.clientEndpoint ?? "";
  }

  // ---- between nodes ----

  send(to: NodeRef, lane: Lane, message: PeerMessage): SendOutcome {
    if (this.#over) return "unreachable";
    if (to !== this.self) {
      try {
        // The two messages of the blackout.
        const urgent = message.t === "grant" || message.t === "taken";
        return this.#peers.send(to, lane, encodePeerMessage(this.#writer, this.crc32, message), urgent);
      } catch (error) {
        this.#observer.incident("session" in message ? message.session : "", errorCodeOf(error), `${message.t} to ${to} was not sent`);
        return "full";
      }
    }
    // A message to this node itself takes the same way, later, so that nobody is called from within its own call.
    this.clock.schedule(0, () => {
      if (!this.#over) this.#receive(this.self, message);
    });
    return "queued";
  }

  tableFor(to: NodeRef, key: SessionKey, bytes: readonly Uint8Array[]): Uint8Array | null {
    const codec = this.codecOf(key);
    return codec === null ? null : this.#tables.missing(to, codec, bytes);
  }

  forgetTables(to: NodeRef): void {
    this.#tables.forget(to);
  }

  onMessage(from: NodeRef, data: Uint8Array): void {
    if (this.#over) return;
    let message: PeerMessage;
    try {
      message = decodePeerMessage(this.crc32, data);
    } catch (error) {
      this.#observer.incident("", errorCodeOf(error), `message from ${from}: ${error instanceof Error ? error.message : String(error)}`);
      return;
    }
    // [10] What an ended incarnation says has no weight any more.
    if (!this.isEnded(from)) this.#receive(from, message);
  }

  #receive(from: NodeRef, message: PeerMessage): void {
    switch (message.t) {
      case "input":
        // Kept beyond this call when it has to wait: the bytes of the frame are not.
        this.#onClientOp(from, { ...message, payload: message.payload.slice() });
        return;
      case "attach":
        this.#onClientOp(from, { ...message, user: message.user.slice() });
        return;
      case "linkAck":
      case "detach":
        this.#onClientOp(from, message);
        return;
      case "output":
        this.ingress.deliver(from, message.session, message.epoch, addressOf(message, this.self), message.frame.slice(), message.close);
        return;
      case "attached": {
        const { session, epoch, socket, ok } = message;
        this.ingress.attached(from, session, epoch, addressOf(message, this.self), socket, ok, message.frame.slice());
        return;
      }
      case "route":
        this.ingress.ownerChanged(message.session, message.epoch, message.owner, message.from, message.blackoutMs, message.settleMs);
        return;
      case "misdirected":
        this.ingress.misdirected(from, message.session, message.socket);
        return;
      case "unlink":
        this.ingress.unlink(message.session, message.link, message.generation);
        return;
      case "pullCache":
        this.#pulls.answer(from, message);
        return;
      case "cacheValue":
        this.#pulls.answered(from, message);
        return;
      case "ask":
        this.#answerCommand(from, message.request, message.body);
        return;
      case "answer":
        this.#commands.answered(from, message.request, message.body);
        return;
      case "offer": {
        const slot = this.#slot(message.session);
        slot.onMessage(from, message);
        this.#onSlot(slot); // what is out of date makes nothing of it
        return;
      }
      default: {
        const slot = this.#slots.get(message.session);
        if (slot !== undefined) slot.onMessage(from, message);
        else if (message.t === "delta" || message.t === "base" || message.t === "piece") this.#fedInVain(from, message);
        return;
      }
    }
  }

  /** An owner feeds a copy that is not here: it was replaced [9], or it is right to and the copy has to come again. */
  #fedInVain(from: NodeRef, message: PeerMessageOf<"delta" | "base" | "piece">): void {
    const { session, epoch } = message;
    const fence = this.#routes.fence(session);
    if (epoch < fence) this.send(from, "control", { t: "fence", session, epoch: fence });
    else if (message.t === "delta") this.#slot(session).onMessage(from, message);
  }

  /** The slot that knows best where a client's message belongs; null when the routes know better. */
  #slotFor(key: SessionKey): Slot | null {
    const slot = this.#slots.get(key);
    if (slot === undefined || slot.role.kind === "absent") return null;
    if (slot.role.kind === "granted" || (this.#routes.get(key)?.epoch ?? 0) <= slot.fence) return slot;
    // A copy that is not fed any more does not hear of new owners, nor does an owner that was replaced and cut off.
    slot.onNewerEpoch();
    return null;
  }

  /** A client's message from another ingress. */
  #onClientOp(from: NodeRef, op: ClientOp): void {
    const slot = this.#slotFor(op.session);
    if (slot !== null) {
      slot.onClient(from, op);
      return;
    }
    const route = this.#routes.get(op.session);
    if (route !== undefined && route.owner !== this.self && op.hops < this.limits.maxRelayHops) {
      this.send(route.owner, "control", { ...op, hops: op.hops + 1 });
    } else {
      this.send(op.ingress, "control", { t: "misdirected", session: op.session, link: op.link, socket: op.t === "attach" ? op.socket : 0 });
    }
  }

  /** A client's message from this ingress; false when nobody is known to own the session. */
  #dispatch(op: ClientOp): boolean {
    const slot = this.#slotFor(op.session);
    if (slot !== null) {
      slot.onClient(this.self, op);
      return true;
    }
    const route = this.#routes.get(op.session);
    if (route === undefined || route.owner === this.self || this.isEnded(route.owner)) return false;
    return this.send(route.owner, "control", op) !== "unreachable";
  }

  onUp(peer: NodeRef): void {
    this.#tables.forget(peer);
    this.#downSinceMs.delete(peer);
    this.onHealth(peer, "answering");
    for (const slot of this.#slots.values()) slot.onUp(peer);
    this.#observer.peerUp?.(peer);
  }

  onDown(peer: NodeRef): void {
    this.#tables.forget(peer);
    if (!this.isEnded(peer)) this.#downSinceMs.set(peer, this.clock.now());
  }

  onHealth(peer: NodeRef, health: PeerHealth): void {
    if (!this.#over && !this.isEnded(peer)) this.#suspicions.note(peer, health);
  }

  /** Somebody who can know says that the node is down: what may go on elsewhere before its lease has ended does. */
  accuse(ref: NodeRef): void {
    if (!this.#over && !this.isEnded(ref) && ref !== this.self) this.#suspicions.accuse(ref);
  }

  /** How often other nodes were suspected, and sessions taken over from lost ones, and how many of these on suspicion. */
  get failovers(): { readonly suspicions: number; readonly promoted: number; readonly promotedOnSuspicion: number } {
    return { suspicions: this.#suspicions.count, ...this.#promotions.counts };
  }

  onEnded(ref: NodeRef): void {
    this.#suspicions.forget(ref);
    this.#tables.forget(ref);
    this.#commands.ended(ref);
    for (const slot of [...this.#slots.values()]) slot.onEnded(ref);
    this.#downSinceMs.delete(ref);
    this.ingress.ownerEnded(ref);
  }

  // ---- to clients ----

  deliver(key: SessionKey, epoch: number, link: LinkAddress, frame: Uint8Array, close: boolean): void {
    const { ingress, id, generation } = link;
    if (ingress === this.self) this.ingress.deliver(this.self, key, epoch, link, frame, close);
    else if (ingress !== null) this.send(ingress, "control", { t: "output", session: key, epoch, link: id, generation, close, frame });
  }

  unlink(key: SessionKey, link: LinkAddress): void {
    const { ingress, id, generation } = link;
    if (ingress === this.self) this.ingress.unlink(key, id, generation);
    else if (ingress !== null) this.send(ingress, "control", { t: "unlink", session: key, link: id, generation });
  }

  answerAttach(key: SessionKey, epoch: number, link: LinkAddress, socket: number, ok: boolean, frame: Uint8Array): void {
    const { ingress, id, generation } = link;
    if (ingress === this.self) this.ingress.attached(this.self, key, epoch, link, socket, ok, frame);
    else if (ingress !== null)
      this.send(ingress, "control", { t: "attached", session: key, epoch, link: id, socket, generation, ok, frame });
  }

  ownerChanged(key: SessionKey, epoch: number, owner: NodeRef, from: NodeRef, blackoutMs: number, settleMs: number): void {
    this.ingress.ownerChanged(key, epoch, owner, from, blackoutMs, settleMs);
  }

  // ---- slots ----

  #slot(key: SessionKey): Slot {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = new Slot(this, key, undefined, (changed) => this.#onSlot(changed));
      slot.raiseFence(this.#routes.fence(key));
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** An empty slot is thrown away, once nobody is within a call of it; the newest epoch stays known. */
  #onSlot(slot: Slot): void {
    this.#routes.raiseFence(slot.key, slot.fence);
    if (!slot.empty || this.#slots.get(slot.key) !== slot) return;
    this.clock.schedule(0, () => {
      if (!slot.empty || this.#slots.get(slot.key) !== slot) return;
      slot.dispose();
      this.#slots.delete(slot.key);
    });
  }

  #onWatched(key: SessionKey, record: SessionRecord): void {
    if (this.#over) return;
    if (record.ended) this.#routes.forget(key);
    const slot = this.#slots.get(key) ?? (record.heir === this.self ? this.#slot(key) : undefined);
    slot?.onRecord(record);
    this.ingress.recordChanged(key, record);
  }

  onRecord(key: SessionKey, record: SessionRecord): void {
    this.#routes.learnRecord(key, record);
  }

  #refuseCreation(key: SessionKey): SojournError | null {
    try {
      this.#kinds.require(key);
    } catch (error) {
      return error instanceof SojournError ? error : new SojournError("E_INTERNAL", undefined, {}, error);
    }
    if (this.membership.info.cordoned) return new SojournError("E_NODE_CORDONED");
    return this.leaseValid() ? null : new SojournError("E_LEASE_ENDED");
  }

  async #purge(key: SessionKey, epoch: number): Promise<void> {
    try {
      await this.store?.remove(key, epoch);
    } catch (cause) {
      throw new SojournError("E_SESSION_BUSY", "the session store cannot be reached", {}, cause);
    }
  }

  #create(key: SessionKey, lost: boolean, change: RecordChange): Promise<SessionRecord | null> {
    const slot = this.#slot(key);
    let from = this.self;
    const noting: RecordChange = (record) => {
      from = record?.owner ?? this.self;
      return change(record);
    };
    return new Promise((resolve, reject) => {
      slot.cas.submit(noting, ({ outcome, record }) => {
        if (outcome === "applied" && record !== null && slot.role.kind !== "owner" && slot.role.kind !== "restoring") {
          if (lost && needsStore(record.strategy) && this.store !== null) {
            slot.becomeRestoring({ epoch: record.epoch, from, stored: record.stored });
            resolve(record);
            return;
          }
          let cell: SessionCell;
          try {
            cell = this.#kinds.require(key).create(key, lost ? record.epoch : 0);
          } catch (error) {
            reject(error);
            return;
          }
          if (lost) this.#observer.incident(key, "E_SESSION_LOST", "nobody who held the session is alive; it starts anew");
          slot.becomeOwner({
            cell,
            epoch: record.epoch,
            hash: 0,
            released: 0,
            waitedFor: [],
            upToDate: null,
            cause: { kind: "created", lost },
            waiting: [],
          });
        }
        resolve(record);
      });
    });
  }

  rankStandbys(key: SessionKey): readonly NodeRef[] {
    return rankStandbys(key, this.self, this.membership.info.place, this.membership.others(), (ref) =>
      this.#peers.isUp(ref) && this.suspicionOf(ref) === "none" ? (this.#peers.rttMs(ref) ?? 0) : Number.POSITIVE_INFINITY,
    );
  }

  reserveRoom(key: SessionKey, toKeep: boolean): "reserved" | "full" | "cordoned" {
    return this.membership.info.cordoned ? "cordoned" : this.#rooms.reserve(key, toKeep);
  }

  releaseRoom(key: SessionKey): void {
    this.#rooms.release(key);
  }

  noteCopy(key: SessionKey, bytes: number): void {
    this.#rooms.began(key);
    this.#copies.note(key, bytes);
  }
  get copiesFull(): boolean {
    return this.#copies.full;
  }
  /** What the copies of other nodes' sessions take here. */
  get copyBytes(): number {
    return this.#copies.bytes;
  }

  promote(key: SessionKey, takeOver: (done: () => void) => void): void {
    this.#promotions.submit(this.priorityOf(key), takeOver);
  }
  get promotionsInFlight(): number {
    return this.#promotions.inFlight;
  }
  /** What goes first when many sessions need another node. */
  priorityOf(key: SessionKey): Priority {
    return this.factoryOf(key)?.priority ?? "normal";
  }

  /** Incoming sessions that room is reserved for. */
  get reservedRooms(): number {
    return this.#rooms.size;
  }

  onMoved(report: MoveReport): void {
    this.#observer.moved(report);
  }

  onPromoted(_key: SessionKey, onSuspicion: boolean): void {
    this.#promotions.count(onSuspicion);
  }

  onTurnsLost(report: LossReport): void {
    this.#observer.turnsLost?.(report);
  }

  onIncident(key: SessionKey, code: string, message: string): void {
    this.#observer.incident(key, code, message);
  }

  retain(key: SessionKey, cell: SessionCell): void {
    this.#pulls.retain(key, cell);
  }

  // ---- commands ----

  /** Has another node carry out an operator's command. @throws SojournError (rejects) `E_PEER_UNREACHABLE` */
  command(to: NodeRef, body: string): Promise<string> {
    return this.#commands.ask(to, (request) => this.send(to, "control", { t: "ask", request, body }) === "queued");
  }

  #answerCommand(from: NodeRef, request: number, body: string): void {
    this.#onCommand(body).then(
      (answer) => this.send(from, "control", { t: "answer", request, body: answer }),
      (error: unknown) => this.onIncident("", errorCodeOf(error), `command of ${from}: ${String(error)}`),
    );
  }

  /** The lease has run out, and whether it has ended is not known: this node does nothing, and its clients had better look elsewhere. */
  lapse(): void {
    if (this.#over) return;
    this.#observer.incident("", "E_LEASE_LAPSED", "the lease was not renewed in time; nothing runs here until it is, or has ended");
    this.ingress.dismissAll("E_SESSION_BUSY", "the node cannot reach the directory", () => 1 + Math.floor(this.random.next() * 200));
  }

  /** The lease never ended, and holds again. */
  resume(): void {
    for (const slot of [...this.#slots.values()]) slot.onLeaseResumed();
  }

  /** Nothing acts or is said any more. */
  silence(): void {
    this.#over = true;
    this.#unwatch();
    this.#promotions.stop();
    this.store?.stop();
    this.#suspicions.stop();
    for (const slot of this.#slots.values()) slot.dispose();
    this.#slots.clear();
    this.#pulls.stop();
    this.#commands.stop();
  }

  /** This life is over: nothing acts any more, and every client is asked to come back. */
  stop(code: string, message: string): void {
    if (this.#over) return;
    this.ingress.closeAll(code, message, () => 1 + Math.floor(this.random.next() * 200));
    this.silence();
  }
}
