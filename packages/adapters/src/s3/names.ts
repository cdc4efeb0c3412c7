import { randomBytes } from "node:crypto";
import { type LogRecord, type Position, parseSessionKey, SojournError } from "@sojourn/core";

type At = Pick<Position, "epoch" | "version">;

/** S3's bound on the bytes of a key. */
const MAX_KEY_BYTES = 1_024;
/** Room for what comes after a session's folder. */
const MAX_NAME_BYTES = 100;
const NUMBER_DIGITS = 16;

/** Names of the objects of one store. A session's key becomes one path segment, so that sessions whose keys begin alike do not touch. */
export class ObjectNames {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  }

  /** Says what the store is. */
  get store(): string {
    return `${this.#prefix}store`;
  }

  probe(nonce: string): string {
    return `${this.#prefix}probe-${nonce}`;
  }

  /** Under it lies a folder for each session whose key starts with `start`. */
  sessions(start: string): string {
    return `${this.#prefix}s/${escapeKey(start)}`;
  }

  /** @throws SojournError `E_SESSION_KEY_INVALID`, also when S3 has no room for it */
  folder(session: string): string {
    parseSessionKey(session);
    const folder = `${this.sessions(session)}/`;
    if (folder.length > MAX_KEY_BYTES - MAX_NAME_BYTES) {
      throw new SojournError("E_SESSION_KEY_INVALID", `"${session.slice(0, 80)}" is too long for an object store`);
    }
    return folder;
  }

  /** What sorts after all objects of a session, and before those of the next. */
  endOf(session: string): string {
    return `${this.sessions(session)}/~`;
  }

  /** The session of a folder that a list gave. */
  sessionOf(folder: string): string {
    return unescapeKey(folder.slice(`${this.#prefix}s/`.length, -1));
  }
}

/** What a base's or a log object's name says; the numbers are padded, so that names sort as positions do. */
export type PlacedName = Position & { readonly name: string; readonly records: number };

/** The name of a base inside its session's folder, which has no folders in it: some servers miss those when they list. No two uploads have the same, so nobody's is overwritten. */
export function baseName(at: Position): string {
  return `b-${placed(at)}.1.${nonce()}`;
}

/** The start of the names of all uploads of a base at this position. */
export function baseNames(at: Position): string {
  return `b-${placed(at)}.`;
}

/** The name of an object with so many records that follow each other. */
export function logName(last: LogRecord, records: number): string {
  return `l-${placed(last)}.${records}.${nonce()}`;
}

/** What nobody else has written. */
export function nonce(): string {
  return randomBytes(8).toString("hex");
}

/** The name of a fence; one left by a removal says that nothing before it counts. */
export function fenceName(epoch: number, removed: boolean): string {
  return `f-${digits(epoch)}${removed ? ".removed" : ""}`;
}

/** Everything in a session's folder, by what it is, in the order of names. */
export interface Folder {
  readonly bases: readonly PlacedName[];
  readonly log: readonly PlacedName[];
  /** The greatest epoch that a fence names. */
  readonly fence: number;
  /** Data of an epoch below it was removed. */
  readonly floor: number;
  readonly names: readonly string[];
}

/** Sorts the names of a session's folder. */
export function readFolder(names: readonly string[]): Folder {
  const bases: PlacedName[] = [];
  const log: PlacedName[] = [];
  let fence = 0;
  let floor = 0;
  for (const name of names) {
    const place = placeOf(name);
    if (place !== null) (name.startsWith("b-") ? bases : log).push(place);
    const [, fenced, removed] = /^f-(\d{16})(\.removed)?$/.exec(name) ?? [];
    if (fenced !== undefined) fence = Math.max(fence, Number(fenced));
    if (removed !== undefined) floor = Math.max(floor, Number(fenced));
  }
  const counts = ({ epoch }: At): boolean => epoch >= floor;
  return { bases: bases.filter(counts), log: log.filter(counts), fence, floor, names };
}

/** What the name of a base or a log object says; null for others. */
export function placeOf(name: string): PlacedName | null {
  const match = /^[bl]-(\d{16})\.(\d{16})\.([0-9a-f]{8})\.(\d+)\./.exec(name);
  if (match === null) return null;
  const [, epoch, version, hash, records] = match;
  return { name, epoch: Number(epoch), version: Number(version), hash: Number.parseInt(hash ?? "", 16), records: Number(records) };
}

function placed({ epoch, version, hash }: Position): string {
  return `${digits(epoch)}.${digits(version)}.${hash.toString(16).padStart(8, "0")}`;
}

function digits(value: number): string {
  return String(value).padStart(NUMBER_DIGITS, "0");
}

/** Letters, digits, `-`, `_`, `.` stay; every other byte of the UTF-8 form becomes `!` and two hex digits. */
function escapeKey(key: string): string {
  let escaped = "";
  for (const byte of Buffer.from(key)) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9_.-]/.test(character) ? character : `!${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}

function unescapeKey(escaped: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] === "!") {
      bytes.push(Number.parseInt(escaped.slice(i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(escaped.charCodeAt(i));
  }
  return Buffer.from(bytes).toString();
}
