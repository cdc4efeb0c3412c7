import {
  ByteWriter,
  type ClientFrameOf,
  type ClientOp,
  type ClientRoute,
  type ClientRouter,
  type ClientSocket,
  type Clock,
  decodeClientFrame,
  encodeClientFrame,
  encodePayload,
  errorCodeOf,
  type Limits,
  type LinkAddress,
  type NodeRef,
  nodeIdOf,
  parseSessionKey,
  type SessionKey,
  type SessionRecord,
  sameNumbering,
} from "@sojourn/core";
import { type ClientEntry, ClientSockets, type PendingAttach } from "./client-sockets.js";
import type { Expected } from "./expected.js";
import type { Routes } from "./routes.js";

/** What the ingress needs from its node. */
export interface IngressPorts {
  readonly self: NodeRef;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly routes: Routes;
  /** Passes a client's message to the session's slot here, or to the node that is believed to own it; false when none is, or can be reached. */
  dispatch(op: ClientOp): boolean;
  /** Finds out who owns the session, creating it when it does not exist and is wanted here. Rejects with a SojournError. */
  resolve(session: SessionKey): Promise<void>;
  /** What is to be expected when nobody answers for the session. */
  expected(session: SessionKey): Expected;
  endpointOf(ref: NodeRef): string;
}

const MAX_ATTACH_TRIES = 8;
/** First pause before the directory is asked again whose owner an attach is for; doubles. */
const RETRY_MS = 10;

/** The node as the place where clients' sockets land: it passes their messages to the owner and the owner's messages to them. */
export class Ingress implements ClientRouter {
  readonly sockets = new ClientSockets();
  readonly #ports: IngressPorts;
  readonly #writer = new ByteWriter(256);

  constructor(ports: IngressPorts) {
    this.#ports = ports;
  }

  // ---- from clients ----

  open(socket: ClientSocket, hello: ClientFrameOf<"hello">, identity: unknown): ClientRoute {
    const entry = this.sockets.add(socket, hello.session, hello.link, hello.epoch);
    const { self } = this.#ports;
    const { session, link, token, nextToken, epoch, lastOut, sent, acked, offsetEpoch, generation } = hello;
    try {
      parseSessionKey(session);
      const user = encodePayload(identity ?? null);
      const op: ClientOp = {
        t: "attach",
        session,
        hops: 0,
        ingress: self,
        socket: entry.id,
        link,
        token,
        nextToken,
        epoch,
        lastOut,
        sent,
        acked,
        offsetEpoch,
        generation,
        user,
      };
      entry.attach = { op, sinceMs: this.#ports.clock.now(), tries: 0, epoch: 0, timer: null };
      this.#attach(entry);
    } catch (error) {
      this.#fail(entry, error);
    }
    return {
      input: (frame) => this.#input(entry, frame),
      ack: (frame) => this.#ack(entry, frame),
      leave: () => this.#detach(entry, true),
      detach: () => this.#detach(entry, false),
    };
  }

  /** Sends the attach, again while nobody answers: the owner may be changing, and a repeated attach is the same attach. */
  #attach(entry: ClientEntry): void {
    const { limits, routes, self } = this.#ports;
    const pending = entry.attach;
    if (pending === null) return;
    pending.timer?.cancel();
    pending.epoch = routes.fence(entry.session);
    if (this.#ports.dispatch(pending.op)) {
      this.#retryIn(entry, pending, limits.offerTimeoutMs / 4);
      return;
    }
    this.#ports.resolve(entry.session).then(
      () => {
        if (entry.attach !== pending) return;
        // Whoever takes over from an owner that is not reached will be on record soon.
        const soonMs = Math.min(RETRY_MS * 2 ** pending.tries, limits.offerTimeoutMs / 4);
        const sent = routes.get(entry.session)?.owner !== self && this.#ports.dispatch(pending.op);
        this.#retryIn(entry, pending, sent ? limits.offerTimeoutMs / 4 : soonMs);
      },
      (error: unknown) => this.#fail(entry, error),
    );
  }

  #retryIn(entry: ClientEntry, pending: PendingAttach, ms: number): void {
    if (entry.attach !== pending) return;
    const { clock, limits } = this.#ports;
    const expected = this.#expected(entry, pending);
    // Who takes over is heard of when it has. Until then it is only made sure, now and then, that nothing was missed.
    const seldom = expected === "leaseEnd" && pending.tries >= MAX_ATTACH_TRIES;
    const pauseMs = seldom ? limits.offerTimeoutMs : ms;
    pending.timer?.cancel();
    pending.timer = clock.schedule(pauseMs, () => this.#retry(entry));
    if (expected !== "answer") this.#sayHeld(entry, Math.ceil(pauseMs));
  }

  /** No longer than the owner's lease can last: somebody else may reach an owner that this node believes to be lost. */
  #expected(entry: ClientEntry, pending: PendingAttach): Expected {
    const { clock, limits } = this.#ports;
    const overMs = pending.sinceMs + limits.leaseTtlMs + limits.offerTimeoutMs;
    return clock.now() < overMs ? this.#ports.expected(entry.session) : "answer";
  }

  /** It is better to wait here than to be on the way elsewhere when somebody takes over. */
  #sayHeld(entry: ClientEntry, forMs: number): void {
    entry.socket.send(
      encodeClientFrame(this.#writer, {
        t: "problem",
        code: "E_SESSION_BUSY",
        message: "the session's node was lost; another one takes over",
        fatal: false,
        retryAfterMs: forMs,
      }),
    );
  }

  #retry(entry: ClientEntry): void {
    const pending = entry.attach;
    if (pending === null) return;
    if (pending.tries < MAX_ATTACH_TRIES) {
      // A node that does not answer may not be the owner any more.
      if (pending.tries % 2 === 1) this.#ports.routes.forget(entry.session);
      pending.tries++;
    } else if (this.#expected(entry, pending) === "answer") {
      this.sockets.remove(entry);
      entry.socket.fail("E_SESSION_BUSY", "the session could not be reached", 200);
      return;
    }
    this.#attach(entry);
    // A copy here takes what it can only pass on to the lost owner. Where no record names it, nobody takes over, and the session begins anew.
    if (entry.attach === pending && this.#ports.expected(entry.session) === "takeOver") {
      this.#ports.resolve(entry.session).then(
        () => this.#followOwner(entry),
        (error: unknown) => this.#notFound(entry.session, error),
      );
    }
  }

  /** Whoever was asked is the owner no more, and what it may have answered is not heard: the new one is asked at once. */
  #followOwner(entry: ClientEntry): void {
    if (entry.attach !== null && entry.attach.epoch < this.#ports.routes.fence(entry.session)) this.#attach(entry);
  }

  #fail(entry: ClientEntry, error: unknown): void {
    if (this.sockets.byId(entry.id) !== entry) return;
    this.sockets.remove(entry);
    const code = errorCodeOf(error);
    const passing = code === "E_SESSION_BUSY" || code === "E_NODE_CORDONED" || code === "E_LEASE_ENDED";
    entry.socket.fail(code, error instanceof Error ? error.message : String(error), passing ? 200 : 0);
  }

  #input(entry: ClientEntry, frame: ClientFrameOf<"input">): void {
    if (entry.generation === 0) return; // sent again after the welcome
    const { session, link, generation } = entry;
    const { seq, ack, action, payload } = frame;
    this.#pass({ t: "input", session, hops: 0, ingress: this.#ports.self, link, generation, seq, ack, action, payload });
  }

  #ack(entry: ClientEntry, frame: ClientFrameOf<"ack">): void {
    if (entry.generation === 0) return;
    const { session, link, generation } = entry;
    this.#pass({ t: "linkAck", session, hops: 0, ingress: this.#ports.self, link, generation, seq: frame.seq, gap: frame.gap });
  }

  #detach(entry: ClientEntry, leave: boolean): void {
    if (this.sockets.byId(entry.id) !== entry) return;
    this.sockets.remove(entry);
    if (entry.generation > 0) this.#sayDetached(entry.session, entry.link, entry.generation, leave);
  }

  #sayDetached(session: SessionKey, link: string, generation: number, leave: boolean): void {
    this.#pass({ t: "detach", session, hops: 0, ingress: this.#ports.self, link, generation, leave });
  }

  /** What cannot be passed on now the client sends again. */
  #pass(op: ClientOp): void {
    if (!this.#ports.dispatch(op)) this.#ports.resolve(op.session).catch((error: unknown) => this.#notFound(op.session, error));
  }

  /**
   * Whether a client here is a reason for a session to begin that does not exist, has ended (`record`), or is lost. What a link still had
   * to say is none, nor does a link bring the session back that it was part of and that has ended.
   */
  wants(session: SessionKey, record: SessionRecord | null): boolean {
    const ended = record?.ended === true;
    for (const { toldEpoch } of this.sockets.waitingOf(session)) {
      if (!ended || toldEpoch === 0 || toldEpoch > record.epoch) return true;
    }
    return !ended && this.sockets.hasLive(session);
  }

  /** A session that has ended closes its links; who missed that, as its last messages were lost, is told here. */
  #notFound(session: SessionKey, error: unknown): void {
    if (errorCodeOf(error) !== "E_SESSION_ENDED") return;
    for (const entry of [...this.sockets.liveOf(session), ...this.sockets.waitingOf(session)]) this.#fail(entry, error);
  }

  // ---- from owners ----

  /** The answer to an attach. */
  attached(from: NodeRef, session: SessionKey, epoch: number, link: LinkAddress, socket: number, ok: boolean, frame: Uint8Array): void {
    const entry = this.sockets.byId(socket);
    if (entry === undefined || entry.session !== session || entry.link !== link.id) {
      if (ok && !this.#servedByAnother(from, session, epoch, link)) this.#sayDetached(session, link.id, link.generation, false);
      return;
    }
    if (!ok) {
      // It is welcome already. The attach was sent twice, and the copy came after the client had gone on with its next token.
      if (entry.attach !== null) this.#refused(from, epoch, entry, frame);
      return;
    }
    if (!this.#ports.routes.learn(session, from, epoch)) {
      this.#followOwner(entry);
      return;
    }
    if (entry.generation >= link.generation) return;
    if (entry.generation > 0) {
      if (this.#beganAnew(entry, link.generation)) return;
      // The attach was sent twice, and both were carried out. The client has its welcome: a second one would look like the
      // answer to a later hello.
      entry.generation = link.generation;
      return;
    }
    if (entry.toldEpoch === 0) entry.toldEpoch = epoch; // a new client has missed nothing
    const replaced = this.sockets.welcome(entry, link.generation);
    if (replaced !== null) {
      this.sockets.remove(replaced);
      replaced.socket.release();
    }
    entry.socket.send(frame);
  }

  /** [9] Only the present owner can turn a client away: one that was replaced may know less of the link than the client does. */
  #refused(from: NodeRef, epoch: number, entry: ClientEntry, frame: Uint8Array): void {
    const { routes } = this.#ports;
    const { session, attach } = entry;
    const refuse = (): void => {
      this.sockets.remove(entry);
      const problem = decodeClientFrame(frame);
      if (problem.t === "problem") entry.socket.fail(problem.code, problem.message, problem.retryAfterMs);
    };
    const heardOf = attach?.op.t === "attach" ? attach.op.epoch : 0;
    if (epoch >= Math.max(routes.fence(session), heardOf)) {
      refuse();
      return;
    }
    this.#ports.resolve(session).then(
      () => {
        if (this.sockets.byId(entry.id) !== entry || entry.attach !== attach) return;
        const route = routes.get(session);
        if (route?.owner === from && route.epoch === epoch) refuse();
        else this.#retry(entry);
      },
      (error: unknown) => this.#fail(entry, error),
    );
  }

  /** A client frame for a link [9: frames of an older epoch or an older attach are refused]. */
  deliver(from: NodeRef, session: SessionKey, epoch: number, link: LinkAddress, frame: Uint8Array, close: boolean): void {
    if (!this.#ports.routes.learn(session, from, epoch)) return;
    const entry = this.sockets.live(session, link.id);
    if (entry === undefined) {
      // What told the owner that this socket is gone may have been lost with an owner before it.
      if (!close && !this.#awaitsWelcome(session, link.id)) this.#sayDetached(session, link.id, link.generation, false);
      return;
    }
    // Its attach was carried out twice, and the second answer is late or lost: there is no other socket here that is meant.
    if (entry.generation < link.generation && !this.#awaitsWelcome(session, link.id)) {
      if (this.#beganAnew(entry, link.generation)) return;
      entry.generation = link.generation;
    }
    if (entry.generation !== link.generation && !close) return;
    if (!close) {
      entry.socket.send(frame);
      return;
    }
    if (entry.generation !== link.generation) return;
    this.sockets.remove(entry);
    const problem = decodeClientFrame(frame);
    if (problem.t === "problem") entry.socket.fail(problem.code, problem.message, problem.retryAfterMs);
  }

  /** The answer to a late copy of an attach whose socket is gone: the link's present socket here takes its place. */
  #servedByAnother(from: NodeRef, session: SessionKey, epoch: number, link: LinkAddress): boolean {
    const entry = this.sockets.live(session, link.id);
    if (entry === undefined || !sameNumbering(entry.generation, link.generation)) return false;
    if (!this.#ports.routes.learn(session, from, epoch)) return false;
    if (entry.generation < link.generation) entry.generation = link.generation;
    return true;
  }

  /** A copy of its attach came when its link had ended, and began another of that name: its client has to say hello to hear of that. */
  #beganAnew(entry: ClientEntry, generation: number): boolean {
    if (sameNumbering(entry.generation, generation)) return false;
    this.sockets.remove(entry);
    this.#sayDetached(entry.session, entry.link, generation, false);
    entry.socket.fail("E_LINK_EXPIRED", "the link has ended and was started anew", 1);
    return true;
  }

  #awaitsWelcome(session: SessionKey, link: string): boolean {
    for (const waiting of this.sockets.waitingOf(session)) if (waiting.link === link) return true;
    return false;
  }

  /** The link has attached at another node after this attach: its socket here, of this one or of an earlier one, becomes a spare. */
  unlink(session: SessionKey, link: string, generation: number): void {
    const entry = this.sockets.live(session, link);
    if (entry === undefined || entry.generation > generation) return;
    this.sockets.remove(entry);
    entry.socket.release();
  }

  /** The session has a new owner: its clients here are told of the better endpoint, and are served over the relay until they switch. */
  ownerChanged(session: SessionKey, epoch: number, owner: NodeRef, from: NodeRef, blackoutMs: number, settleMs: number): void {
    if (!this.#ports.routes.learn(session, owner, epoch)) return;
    for (const entry of [...this.sockets.waitingOf(session)]) this.#followOwner(entry);
    let frame: Uint8Array | null = null;
    for (const entry of this.sockets.liveOf(session)) {
      // Not by what the node knows: the directory, or a message of the new owner, may have told it first.
      if (entry.toldEpoch >= epoch) continue;
      entry.toldEpoch = epoch;
      frame ??= encodeClientFrame(this.#writer, {
        t: "moved",
        epoch,
        from: nodeIdOf(from),
        to: nodeIdOf(owner),
        endpoint: this.#ports.endpointOf(owner),
        blackoutMs,
        switchAfterMs: settleMs,
      });
      entry.socket.send(frame);
    }
  }

  /** The directory tells who owns the session now. */
  recordChanged(session: SessionKey, record: SessionRecord): void {
    const waiting = [...this.sockets.waitingOf(session)];
    if (waiting.length === 0) return;
    this.#ports.routes.learnRecord(session, record);
    for (const entry of waiting) this.#followOwner(entry);
  }

  /**
   * The lease of a node has ended. Who takes one of its sessions over says so to the clients it finds in it; when nothing was left of
   * the session, nobody says so, and a client may only be listening. So its link is shown to whoever is owner a while later.
   */
  ownerEnded(ref: NodeRef): void {
    const { clock, limits, routes } = this.#ports;
    for (const session of [...this.sockets.waitingSessions]) {
      const owner = routes.get(session)?.owner;
      if (owner === undefined || owner === ref) for (const entry of [...this.sockets.waitingOf(session)]) this.#attach(entry);
    }
    const owned = [...this.sockets.liveSessions].filter((session) => routes.get(session)?.owner === ref);
    if (owned.length === 0) return;
    clock.schedule(limits.retransmitMs, () => {
      for (const session of owned) {
        if (routes.get(session)?.owner === ref)
          this.#ports
            .resolve(session)
            .then(() => this.#showLinks(session))
            .catch((error: unknown) => this.#notFound(session, error));
        else this.#showLinks(session);
      }
    });
  }

  /** Confirms nothing; an owner that does not know the link answers that. */
  #showLinks(session: SessionKey): void {
    const { self } = this.#ports;
    for (const { link, generation } of this.sockets.liveOf(session)) {
      this.#pass({ t: "linkAck", session, hops: 0, ingress: self, link, generation, seq: 0, gap: false });
    }
  }

  /** A node that was asked is not the owner. `socket`: whose attach it was, 0 for another message. */
  misdirected(from: NodeRef, session: SessionKey, socket: number): void {
    const { routes, self } = this.#ports;
    const route = routes.get(session);
    if (route !== undefined && (route.owner === from || from === self)) routes.forget(session);
    this.#ports.resolve(session).then(
      () => {
        const entry = this.sockets.byId(socket);
        if (entry !== undefined && entry.session === session) this.#retry(entry);
      },
      (error: unknown) => this.#notFound(session, error),
    );
  }

  /** Every client is asked to come back elsewhere; the sessions hear of it when they run again. */
  dismissAll(code: string, message: string, retryAfterMs: () => number): void {
    for (const entry of [...this.sockets.all()]) {
      this.#detach(entry, false);
      entry.socket.fail(code, message, retryAfterMs());
    }
  }

  /** The node stops: every client is asked to come back elsewhere, spread over `spreadMs`. */
  closeAll(code: string, message: string, retryAfterMs: () => number): void {
    for (const entry of [...this.sockets.all()]) {
      this.sockets.remove(entry);
      entry.socket.fail(code, message, retryAfterMs());
    }
  }
}
