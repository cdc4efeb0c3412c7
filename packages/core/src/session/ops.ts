import { SojournError } from "../errors/sojourn-error.js";

/**
 * What a turn did, as one flat list: a code, then its arguments. The owner plays the list on its own links when the turn
 * commits and sends it to replicas, which play the same list: both cannot differ. Links go by their ordinals.
 * Append only: lists are stored in logs.
 */
export const OP = {
  /** name payload — an event for every link there is at this point */
  broadcast: 1,
  /** ordinals name payload — an event for every link but these */
  broadcastExcept: 2,
  /** ordinal name payload — an event for one link */
  send: 3,
  /** ordinal seq payload — input `seq` was handled, this answers it */
  reply: 4,
  /** ordinal seq code payload — input `seq` was handled and failed */
  failure: 5,
  /** id user ingress token previousToken reason|null lostOutputs lostInputs — a new link */
  join: 6,
  /** ordinal ingress token previousToken — a new socket on a link */
  attach: 7,
  /** ordinal — the link's socket is gone */
  detach: 8,
  /** ordinal reason|null — the link is gone; with a reason its onLeave is still to come */
  remove: 9,
  /** id — the onLeave of the first departure of that id has run */
  departed: 10,
  /** patch — of the state */
  state: 11,
  /** version state — the whole state, brought to a newer version */
  restate: 12,
  /** name remainingMs|null everyMs|null — a timer, or none */
  timer: 13,
  /** key value bytes — a carried cache entry */
  cache: 14,
  /** key bytes from — a lazy cache entry, kept by a node */
  cacheStub: 15,
  /** key — a cache entry is gone */
  cacheGone: 16,
  /** ordinal ackedOut confirmed — a link's window between turns */
  mark: 17,
  /** — the session is over */
  end: 18,
  /** epoch — the session goes on from a copy that may lack turns */
  branch: 19,
  /** generation — a link that joins from here on begins after it */
  floor: 20,
} as const;

/**
 * Types of the arguments, by code: `o` ordinal of a present link, `q` sequence number, `n` number ≥ 0, `N` the same or null, `s` string, `S` string or
 * null, `b` bytes, `l` list of numbers, `t` boolean, `p` list, `x` object, `v` anything.
 */
const ARGUMENTS: readonly (string | undefined)[] = (() => {
  const table: string[] = [];
  table[OP.broadcast] = "sb";
  table[OP.broadcastExcept] = "lsb";
  table[OP.send] = "osb";
  table[OP.reply] = "oqb";
  table[OP.failure] = "oqsb";
  table[OP.join] = "svsssSqq";
  table[OP.attach] = "osss";
  table[OP.detach] = "o";
  table[OP.remove] = "oS";
  table[OP.departed] = "s";
  table[OP.state] = "p";
  table[OP.restate] = "qx";
  table[OP.timer] = "sNN";
  table[OP.cache] = "svn";
  table[OP.cacheStub] = "sns";
  table[OP.cacheGone] = "s";
  table[OP.mark] = "oqt";
  table[OP.end] = "";
  table[OP.branch] = "q";
  table[OP.floor] = "q";
  return table;
})();

/** How many arguments follow a code. */
export function arity(code: unknown): number {
  return (ARGUMENTS[code as number] as string).length;
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < Number.POSITIVE_INFINITY;
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "o":
    case "q":
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case "n":
      return isNumber(value);
    case "N":
      return value === null || isNumber(value);
    case "s":
      return typeof value === "string";
    case "S":
      return value === null || typeof value === "string";
    case "b":
      return value instanceof Uint8Array;
    case "l":
      return Array.isArray(value) && value.every(isNumber);
    case "t":
      return typeof value === "boolean";
    case "p":
      return Array.isArray(value);
    case "x":
      return typeof value === "object" && value !== null;
    default:
      return true;
  }
}

/** What the checks need to know of the replica that a list is for. */
export interface OpsTarget {
  hasOrdinal(ordinal: number): boolean;
  readonly nextOrdinal: number;
  hasDeparture(id: string): boolean;
}

/**
 * Checks a decoded list as a whole before any of it is played.
 * @throws SojournError `E_CODEC_CORRUPT`
 */
export function checkOps(ops: readonly unknown[], from: number, target: OpsTarget): void {
  let nextOrdinal = target.nextOrdinal;
  const removed = new Set<number>();
  for (let at = from; at < ops.length; ) {
    const code = ops[at++];
    const types = typeof code === "number" ? ARGUMENTS[code] : undefined;
    if (types === undefined || at + types.length > ops.length) throw corrupt(code, "is unknown or cut short");
    for (let i = 0; i < types.length; i++) {
      const type = types[i] as string;
      const value = ops[at + i];
      if (!isOfType(type, value)) throw corrupt(code, `has a bad argument ${i}`);
      if (type !== "o") continue;
      const ordinal = value as number;
      const present = ordinal >= target.nextOrdinal ? ordinal < nextOrdinal : target.hasOrdinal(ordinal);
      if (!present || removed.has(ordinal)) throw corrupt(code, "names an unknown link");
    }
    if (code === OP.remove) removed.add(ops[at] as number);
    else if (code === OP.departed && !target.hasDeparture(ops[at] as string)) throw corrupt(code, "has no departure");
    else if (code === OP.join) nextOrdinal++;
    at += types.length;
  }
}

function corrupt(code: unknown, problem: string): SojournError {
  return new SojournError("E_CODEC_CORRUPT", `operation ${String(code)} of a delta ${problem}`);
}
