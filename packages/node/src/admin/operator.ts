import { type NodeEntry, type NodeRef, nodeIdOf, type SessionKey, SojournError } from "@sojourn/core";
import type { Host } from "../host/host.js";
import type { NodeRuntime } from "../host/node-runtime.js";
import type { NodeStatus } from "../metrics/node-metrics.js";
import { mergeProfiles, type Profile } from "../profile/reports.js";
import {
  type AdminAnswers,
  type AdminCommand,
  type AdminProblem,
  type ClusterNode,
  DEFAULT_PROFILED_SESSIONS,
  MAX_LISTED_SESSIONS,
  parseCommand,
  type SessionEntry,
} from "./commands.js";
import { errorOf, problemOf } from "./problems.js";

/** Looks for an owner that has just changed this often before it gives up. */
const MAX_CHASES = 4;

type CommandOf<N extends AdminCommand["command"]> = Extract<AdminCommand, { command: N }>;
type Reply<A> = { readonly ok: true; readonly answer: A } | { readonly ok: false; readonly error: AdminProblem };

/** What each node answers to an accusation of another one. */
interface Accused {
  /** Whether its connection to the accused node stands. */
  readonly connected: boolean;
}

/** The node that an operator works on. */
export interface OperatedNode {
  readonly id: string;
  readonly runtime: NodeRuntime;
  status(): NodeStatus;
  profile(kind: string | null, limit: number): Profile;
  /** Why a session has the strategy that it has, where nodes choose it. */
  reasonOf(session: SessionKey): string | null;
}

/** Carries out operators' commands: here, or by passing them on to the node that has to. A command is passed on once at most. */
export class Operator {
  readonly #node: OperatedNode;

  constructor(node: OperatedNode) {
    this.#node = node;
  }

  /**
   * Carries out a command that this node was asked for.
   * @throws SojournError (rejects) with the code of whoever refused it, `E_NODE_UNKNOWN`, `E_SESSION_UNKNOWN`, `E_PEER_UNREACHABLE`,
   * `E_LEASE_ENDED`
   */
  async execute<C extends AdminCommand>(command: C): Promise<AdminAnswers[C["command"]]> {
    return (await this.#execute(command)) as AdminAnswers[C["command"]];
  }

  /** Answers another node's operator; the command concerns this node alone. Never rejects. */
  async answer(body: string): Promise<string> {
    let reply: Reply<unknown>;
    try {
      reply = { ok: true, answer: await this.#here(parseCommand(JSON.parse(body))) };
    } catch (error) {
      reply = { ok: false, error: problemOf(error) };
    }
    return JSON.stringify(reply);
  }

  #execute(command: AdminCommand): Promise<unknown> {
    switch (command.command) {
      case "status":
        return this.#here(command);
      case "cluster":
        return this.#cluster();
      case "where":
        return this.#where(command.session);
      case "move":
        return this.#move(command, 1);
      case "strategy":
        return this.#strategy(command, 1);
      case "sessions":
        return command.node === undefined ? this.#sessionsOfAll(command) : this.#at(command.node, command);
      case "profile":
        return command.node === undefined ? this.#profileOfAll(command) : this.#at(command.node, command);
      case "drain":
      case "cordon":
        return command.node === undefined ? this.#here(command) : this.#at(command.node, command);
      case "accuse":
        return this.#accuse(command);
    }
  }

  /** What this node does itself. */
  async #here(command: AdminCommand): Promise<unknown> {
    const { id, runtime } = this.#node;
    switch (command.command) {
      case "status":
        return this.#node.status();
      case "sessions":
        return sessionsOf(this.#host, this.#node, command.limit ?? MAX_LISTED_SESSIONS);
      case "profile": {
        const profile = this.#node.profile(command.kind ?? null, command.limit ?? DEFAULT_PROFILED_SESSIONS);
        return { ...profile, silent: [] };
      }
      case "move":
        return runtime.move(command.session, command.to);
      case "strategy":
        return { session: command.session, owner: id, ...(await runtime.setStrategy(command.session, command.strategy)) };
      case "drain": {
        const { deadlineMs, to } = command;
        if (to !== undefined && to === id) throw new SojournError("E_MOVE_REFUSED", "a node cannot be drained to itself");
        if (to !== undefined) this.#find(to);
        const report = await runtime.drain({ ...(deadlineMs !== undefined && { deadlineMs }), ...(to !== undefined && { to }) });
        return { node: id, ...report };
      }
      case "cordon":
        await runtime.cordon(command.cordoned);
        return { node: id, cordoned: command.cordoned };
      case "accuse": {
        const ref = this.#find(command.node);
        this.#host.accuse(ref);
        return { connected: this.#host.isUp(ref) } satisfies Accused;
      }
      case "cluster":
      case "where":
        throw new SojournError("E_CONFIG_INVALID", `"${command.command}" is not passed on`);
    }
  }

  async #cluster(): Promise<AdminAnswers["cluster"]> {
    const { membership } = this.#host;
    const { self, info } = membership;
    const entries: NodeEntry[] = [{ ref: self, info, ended: false }, ...membership.others()];
    const nodes = await Promise.all(
      entries.map(async ({ ref, info }): Promise<ClusterNode> => {
        const known = { id: info.id, self: ref, place: info.place, clientEndpoint: info.clientEndpoint, cordoned: info.cordoned };
        const reply = await this.#attempt<NodeStatus>(ref, { command: "status" });
        return reply.ok ? { ...known, status: reply.answer, error: null } : { ...known, status: null, error: reply.error };
      }),
    );
    return { asked: this.#node.id, nodes: nodes.sort((a, b) => compare(a.id, b.id)) };
  }

  async #sessionsOfAll(command: CommandOf<"sessions">): Promise<AdminAnswers["sessions"]> {
    const host = this.#host;
    const refs = [host.self, ...host.membership.others().map(({ ref }) => ref)];
    const replies = await Promise.all(
      refs.map(async (ref) => ({ ref, reply: await this.#attempt<AdminAnswers["sessions"]>(ref, command) })),
    );
    const sessions: SessionEntry[] = [];
    const silent: { node: string; error: AdminProblem }[] = [];
    let total = 0;
    for (const { ref, reply } of replies) {
      if (reply.ok) {
        sessions.push(...reply.answer.sessions);
        total += reply.answer.total;
      } else {
        silent.push({ node: nodeIdOf(ref), error: reply.error });
      }
    }
    sessions.sort((a, b) => compare(a.session, b.session));
    return { sessions: sessions.slice(0, command.limit ?? MAX_LISTED_SESSIONS), total, silent };
  }

  async #profileOfAll(command: CommandOf<"profile">): Promise<AdminAnswers["profile"]> {
    const host = this.#host;
    const refs = [host.self, ...host.membership.others().map(({ ref }) => ref)];
    const replies = await Promise.all(
      refs.map(async (ref) => ({ ref, reply: await this.#attempt<AdminAnswers["profile"]>(ref, command) })),
    );
    const silent = replies.flatMap(({ ref, reply }) => (reply.ok ? [] : [{ node: nodeIdOf(ref), error: reply.error }]));
    const profiles = replies.flatMap(({ reply }) => (reply.ok ? [reply.answer] : []));
    const { kind } = command;
    if (kind !== undefined && silent.length === 0 && !profiles.some(({ kinds }) => kinds.length > 0)) {
      throw new SojournError("E_KIND_UNKNOWN", `no node has a session kind "${kind}", or none keeps a profile`, { kind });
    }
    return { ...mergeProfiles(profiles, command.limit ?? DEFAULT_PROFILED_SESSIONS), silent };
  }

  async #where(session: SessionKey): Promise<AdminAnswers["where"]> {
    const record = await this.#host.directory.read(session);
    if (record === null || record.ended) throw new SojournError("E_SESSION_UNKNOWN", `there is no session ${session}`, { session });
    const { owner: ref, epoch, inSync, heir } = record;
    return { session, owner: nodeIdOf(ref), ref, epoch, inSync, heir };
  }

  /** At the owner. One that has given the session away meanwhile says so, and the directory is asked again. */
  async #move(command: CommandOf<"move">, chase: number): Promise<AdminAnswers["move"]> {
    const target = this.#find(command.to);
    const { ref } = await this.#where(command.session);
    if (ref === target) {
      throw new SojournError("E_MOVE_REFUSED", `${command.session} is on ${command.to} already`, { session: command.session });
    }
    const reply = await this.#atOwner<AdminAnswers["move"]>(ref, command, chase);
    return reply === "moved" ? this.#move(command, chase + 1) : reply;
  }

  async #strategy(command: CommandOf<"strategy">, chase: number): Promise<AdminAnswers["strategy"]> {
    const { ref } = await this.#where(command.session);
    const reply = await this.#atOwner<AdminAnswers["strategy"]>(ref, command, chase);
    return reply === "moved" ? this.#strategy(command, chase + 1) : reply;
  }

  /** What the owner answers; `moved` when it has given the session away meanwhile, and it is worth looking again. */
  async #atOwner<A>(ref: NodeRef, command: CommandOf<"move" | "strategy">, chase: number): Promise<A | "moved"> {
    if (this.#host.isEnded(ref)) throw new SojournError("E_SESSION_BUSY", `${command.session} was on ${ref}, which was lost`);
    const reply = await this.#attempt<A>(ref, command);
    if (reply.ok) return reply.answer;
    if (reply.error.code !== "E_NOT_OWNER" || chase >= MAX_CHASES) throw errorOf(reply.error);
    return "moved";
  }

  /** Every node suspects for itself, so every one is told. A lease is ended only when nobody is connected to its node any more. */
  async #accuse({ node, ended = false }: CommandOf<"accuse">): Promise<AdminAnswers["accuse"]> {
    const ref = this.#find(node);
    const host = this.#host;
    if (ended && ref === host.self) throw alive(ref, [this.#node.id]);
    const refs = [host.self, ...host.membership.others().map((other) => other.ref)].filter((other) => other !== ref);
    const replies = await Promise.all(
      refs.map(async (to) => ({ id: nodeIdOf(to), reply: await this.#promptly<Accused>(to, { command: "accuse", node: ref }) })),
    );
    const told = replies.flatMap(({ id, reply }) => (reply.ok ? [id] : [])).sort();
    const silent = replies.flatMap(({ id, reply }) => (reply.ok ? [] : [{ node: id, error: reply.error }]));
    if (ended) {
      const connected = replies.flatMap(({ id, reply }) => (reply.ok && reply.answer.connected ? [id] : [])).sort();
      if (connected.length > 0) throw alive(ref, connected);
      await host.directory.resign(ref);
    }
    return { node: nodeIdOf(ref), ref, told, silent, leaseEnded: ended };
  }

  /** Like `#attempt`, and waits no longer than for a node that still counts as connected. */
  #promptly<A>(ref: NodeRef, command: AdminCommand): Promise<Reply<A>> {
    const { clock, limits } = this.#host;
    return new Promise((resolve) => {
      const late = () => resolve({ ok: false, error: problemOf(new SojournError("E_PEER_UNREACHABLE", `${ref} did not answer in time`)) });
      const patience = clock.schedule(limits.peerTimeoutMs, late);
      void this.#attempt<A>(ref, command).then((reply) => {
        patience.cancel();
        resolve(reply);
      });
    });
  }

  async #at(id: string, command: AdminCommand): Promise<unknown> {
    const reply = await this.#attempt<unknown>(this.#find(id), command);
    if (!reply.ok) throw errorOf(reply.error);
    return reply.answer;
  }

  async #attempt<A>(ref: NodeRef, command: AdminCommand): Promise<Reply<A>> {
    try {
      const host = this.#host;
      if (ref === host.self) return { ok: true, answer: (await this.#here(command)) as A };
      const { commandTimeoutMs } = host.limits;
      if (command.command === "drain" && (command.deadlineMs ?? 0) >= commandTimeoutMs) {
        const message = `a drain of another node must end within commandTimeoutMs (${commandTimeoutMs} ms); ask that node itself, or give it less time`;
        throw new SojournError("E_CONFIG_INVALID", message);
      }
      return JSON.parse(await host.command(ref, JSON.stringify(command))) as Reply<A>;
    } catch (error) {
      return { ok: false, error: problemOf(error) };
    }
  }

  /** The living incarnation of a node; of a ref only if that is it. @throws SojournError `E_NODE_UNKNOWN` */
  #find(node: string): NodeRef {
    const { membership } = this.#host;
    const id = nodeIdOf(node);
    const ref = id === this.#node.id ? membership.self : membership.find(id)?.ref;
    if (ref !== undefined && (node === id || node === ref)) return ref;
    const known = [this.#node.id, ...membership.others().map((other) => other.info.id)].sort().join(", ");
    throw new SojournError("E_NODE_UNKNOWN", `no live node "${node}"; there are: ${known}`, { node, known });
  }

  get #host(): Host {
    const { host } = this.#node.runtime;
    if (host === null) throw new SojournError("E_LEASE_ENDED", "the node is not part of the cluster right now");
    return host;
  }
}

function alive(ref: NodeRef, by: readonly string[]): SojournError {
  const message = `${ref} is still connected, as ${by.join(", ")} can tell: only what has ended can be declared ended; stop its process first`;
  return new SojournError("E_NODE_ALIVE", message, { node: ref });
}

function sessionsOf(host: Host, node: OperatedNode, limit: number): AdminAnswers["sessions"] {
  const sessions: SessionEntry[] = [];
  let total = 0;
  for (const { key, owner: role, cas } of host.slots.values()) {
    if (role === null) continue;
    total++;
    if (sessions.length === limit) continue;
    const { links, version } = role.cell;
    let connected = 0;
    for (const link of links.values()) if (link.ingress !== null) connected++;
    sessions.push({
      session: key,
      owner: node.id,
      epoch: role.epoch,
      version,
      links: links.size,
      connected,
      moving: role.movingTo !== null,
      strategy: cas.record?.strategy ?? "replica",
      changingTo: role.store.changingTo,
      copies: cas.record?.inSync.length ?? 0,
      store: role.store.state,
      behindMs: role.store.behindMs,
      reason: node.reasonOf(key),
    });
  }
  return { sessions, total, silent: [] };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
