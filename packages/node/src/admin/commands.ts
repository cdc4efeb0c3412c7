import {
  incarnationOf,
  isNodeId,
  type MoveReport,
  type NodeRef,
  nodeIdOf,
  nodeRef,
  type Place,
  parseSessionKey,
  type SessionKey,
  SojournError,
  STRATEGIES,
  type Strategy,
  type StrategyReport,
} from "@sojourn/core";
import type { DrainReport } from "../host/drain.js";
import type { NodeStatus } from "../metrics/node-metrics.js";
import type { Profile } from "../profile/reports.js";

/** What an operator can ask of a cluster. Any node takes any command and passes it on to who has to carry it out. */
export type AdminCommand =
  /** How the node that is asked fares. */
  | { readonly command: "status" }
  /** How every node fares; one that does not answer is listed with the reason. */
  | { readonly command: "cluster" }
  /** Sessions with their owners: of one node, or of all. */
  | { readonly command: "sessions"; readonly node?: string; readonly limit?: number }
  /** What the sessions of a node, or of all, are like; of one kind, or of all, with so many of the busiest. */
  | { readonly command: "profile"; readonly node?: string; readonly kind?: string; readonly limit?: number }
  /** Who owns a session, by the directory. */
  | { readonly command: "where"; readonly session: SessionKey }
  /** Moves a session, wherever it is, to the named node. */
  | { readonly command: "move"; readonly session: SessionKey; readonly to: string }
  /** Gives a session, wherever it is, another strategy. */
  | { readonly command: "strategy"; readonly session: SessionKey; readonly strategy: Strategy }
  /** Cordons a node and moves its sessions away. Without `node`: the one that is asked. */
  | { readonly command: "drain"; readonly node?: string; readonly deadlineMs?: number; readonly to?: string }
  /** Lets a node take no new sessions, or take them again. Without `node`: the one that is asked. */
  | { readonly command: "cordon"; readonly node?: string; readonly cordoned: boolean }
  /**
   * A node (`fra-1`, or in one of its lives `fra-1#17`) is down, by the word of somebody who can know: sessions that fail over on suspicion
   * go on elsewhere at once. `ended`: its process has certainly ended, so its lease is ended too, and all of its sessions go on.
   */
  | { readonly command: "accuse"; readonly node: string; readonly ended?: boolean };

/** One node in the answer to `cluster`. `status` is null when it did not answer; `error` says why. */
export interface ClusterNode {
  readonly id: string;
  readonly self: NodeRef;
  readonly place: Place;
  readonly clientEndpoint: string;
  readonly cordoned: boolean;
  readonly status: NodeStatus | null;
  readonly error: AdminProblem | null;
}

/** One session at its owner. */
export interface SessionEntry {
  readonly session: SessionKey;
  readonly owner: string;
  readonly epoch: number;
  /** Turns so far. */
  readonly version: number;
  readonly links: number;
  /** Links whose client is connected right now. */
  readonly connected: number;
  readonly moving: boolean;
  /** What keeps it, by its record. */
  readonly strategy: Strategy;
  /** What it is being given. */
  readonly changingTo: Strategy | null;
  /** Copies in other nodes' memory that are in-sync. */
  readonly copies: number;
  /** How the session store stands with it; `away`: it is to keep the session and does not answer. */
  readonly store: "none" | "kept" | "behind" | "away";
  /** For how long at most the store has lacked something of what happened. */
  readonly behindMs: number;
  /** Why it has its strategy, where nodes choose it (`strategy: "auto"`). */
  readonly reason: string | null;
}

/** An error as it is passed on. */
export interface AdminProblem {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

/** What each command answers. */
export interface AdminAnswers {
  readonly status: NodeStatus;
  readonly cluster: { readonly asked: string; readonly nodes: readonly ClusterNode[] };
  readonly sessions: {
    readonly sessions: readonly SessionEntry[];
    /** All there are, listed or not. */
    readonly total: number;
    /** Nodes that did not answer; what they own is missing. */
    readonly silent: readonly { readonly node: string; readonly error: AdminProblem }[];
  };
  readonly profile: Profile & {
    /** Nodes that did not answer; what they know is missing. */
    readonly silent: readonly { readonly node: string; readonly error: AdminProblem }[];
  };
  readonly where: {
    readonly session: SessionKey;
    readonly owner: string;
    readonly ref: NodeRef;
    readonly epoch: number;
    readonly inSync: readonly NodeRef[];
    /** The node that a move under way leads to. */
    readonly heir: NodeRef | null;
  };
  readonly move: MoveReport;
  readonly strategy: StrategyReport & { readonly session: SessionKey; readonly owner: string };
  readonly drain: DrainReport & { readonly node: string };
  readonly cordon: { readonly node: string; readonly cordoned: boolean };
  readonly accuse: {
    readonly node: string;
    /** The life that was accused. */
    readonly ref: NodeRef;
    /** Nodes that have taken the word. */
    readonly told: readonly string[];
    readonly silent: readonly { readonly node: string; readonly error: AdminProblem }[];
    /** Whether its lease was ended. */
    readonly leaseEnded: boolean;
  };
}

/** Sessions that a profile shows when nobody says how many, and at most. */
export const DEFAULT_PROFILED_SESSIONS = 20;
const MAX_PROFILED_SESSIONS = 200;

/** Sessions that one answer lists at most. */
export const MAX_LISTED_SESSIONS = 5_000;
const DEFAULT_LISTED_SESSIONS = 1_000;
const MAX_DEADLINE_MS = 3_600_000;

type Fields = Readonly<Record<string, unknown>>;

const FIELDS: Readonly<Record<AdminCommand["command"], readonly string[]>> = {
  status: [],
  cluster: [],
  sessions: ["node", "limit"],
  profile: ["node", "kind", "limit"],
  where: ["session"],
  move: ["session", "to"],
  strategy: ["session", "strategy"],
  drain: ["node", "deadlineMs", "to"],
  cordon: ["node", "cordoned"],
  accuse: ["node", "ended"],
};

/**
 * Checks a command that came from outside.
 * @throws SojournError `E_CONFIG_INVALID`, `E_SESSION_KEY_INVALID`
 */
export function parseCommand(value: unknown): AdminCommand {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse("a command is a JSON object");
  const fields = value as Fields;
  const { command } = fields;
  if (typeof command !== "string" || !Object.hasOwn(FIELDS, command)) {
    refuse(`unknown command ${JSON.stringify(command) ?? "(none)"}; there are: ${Object.keys(FIELDS).join(", ")}`);
  }
  const name = command as AdminCommand["command"];
  for (const field of Object.keys(fields)) {
    if (field !== "command" && !FIELDS[name].includes(field)) {
      refuse(`${name} takes no "${field.slice(0, 80)}"; it takes: ${FIELDS[name].join(", ") || "nothing"}`);
    }
  }
  switch (name) {
    case "status":
    case "cluster":
      return { command: name };
    case "sessions":
      return { command: name, ...node(fields), limit: whole(fields, "limit", 1, MAX_LISTED_SESSIONS) ?? DEFAULT_LISTED_SESSIONS };
    case "profile": {
      const { kind } = fields;
      if (kind !== undefined && typeof kind !== "string") refuse('"kind" must be the name of a session kind');
      const limit = whole(fields, "limit", 0, MAX_PROFILED_SESSIONS) ?? DEFAULT_PROFILED_SESSIONS;
      return { command: name, ...node(fields), limit, ...(kind !== undefined && { kind }) };
    }
    case "where":
      return { command: name, session: session(fields) };
    case "move":
      return { command: name, session: session(fields), to: nodeId(fields, "to") ?? refuse('move needs "to", the id of a node') };
    case "strategy": {
      const strategy = STRATEGIES.find((known) => known === fields.strategy);
      if (strategy === undefined) refuse(`"strategy" must be one of ${STRATEGIES.join(", ")}`);
      return { command: name, session: session(fields), strategy };
    }
    case "drain": {
      const deadlineMs = whole(fields, "deadlineMs", 1, MAX_DEADLINE_MS);
      const to = nodeId(fields, "to");
      return { command: name, ...node(fields), ...(deadlineMs !== undefined && { deadlineMs }), ...(to !== undefined && { to }) };
    }
    case "cordon": {
      const { cordoned = true } = fields;
      if (typeof cordoned !== "boolean") refuse('"cordoned" must be true or false');
      return { command: name, ...node(fields), cordoned };
    }
    case "accuse": {
      const { ended = false } = fields;
      if (typeof ended !== "boolean") refuse('"ended" must be true or false');
      return { command: name, node: accused(fields), ended };
    }
  }
}

function refuse(problem: string): never {
  throw new SojournError("E_CONFIG_INVALID", problem);
}

function session(fields: Fields): SessionKey {
  if (typeof fields.session !== "string") refuse('"session" is missing; expected kind/id, e.g. room/lobby-7');
  parseSessionKey(fields.session);
  return fields.session;
}

function nodeId(fields: Fields, field: string): string | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || !isNodeId(value)) refuse(`"${field}" must be the id of a node, e.g. fra-1`);
  return value;
}

/** A node's id, or the ref of one of its lives. */
function accused({ node }: Fields): string {
  if (typeof node === "string") {
    const [id, incarnation] = [nodeIdOf(node), incarnationOf(node)];
    if (isNodeId(id) && (node === id || (incarnation > 0 && node === nodeRef(id, incarnation)))) return node;
  }
  return refuse('accuse needs "node", the id of a node, e.g. fra-1, or of one of its lives, e.g. fra-1#17');
}

function node(fields: Fields): { readonly node?: string } {
  const id = nodeId(fields, "node");
  return id === undefined ? {} : { node: id };
}

function whole(fields: Fields, field: string, min: number, max: number): number | undefined {
  const value = fields[field];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    refuse(`"${field}" must be a whole number from ${min} to ${max}`);
  }
  return value;
}
