import { SojournError } from "./errors/sojourn-error.js";

/** A node in one of its lives: `id#incarnation`, e.g. `fra-1#17`. Every role in the directory is held by one of these. */
export type NodeRef = string & { readonly __brand?: "NodeRef" };

/** A session's name: `kind/id`, e.g. `room/lobby-7`. */
export type SessionKey = string & { readonly __brand?: "SessionKey" };

const NODE_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const SESSION_KEY = /^([A-Za-z][A-Za-z0-9_-]{0,63})\/([^\s/#\p{Cc}][^\s#\p{Cc}]{0,255})$/u;

/** Joins a node id and an incarnation. */
export function nodeRef(id: string, incarnation: number): NodeRef {
  return `${id}#${incarnation}`;
}

/** The node id inside a ref. */
export function nodeIdOf(ref: NodeRef): string {
  const at = ref.lastIndexOf("#");
  return at < 0 ? ref : ref.slice(0, at);
}

/** The incarnation inside a ref, or 0 when there is none. */
export function incarnationOf(ref: NodeRef): number {
  const at = ref.lastIndexOf("#");
  return at < 0 ? 0 : Number(ref.slice(at + 1));
}

/** True for a usable node id: 1–64 letters, digits, `_`, `.`, `-`, starting with a letter or digit. */
export function isNodeId(id: string): boolean {
  return NODE_ID.test(id);
}

/** The kind inside a session key. */
export function kindInKey(key: SessionKey): string {
  return key.slice(0, key.indexOf("/"));
}

/**
 * Splits a session key.
 * @throws SojournError `E_SESSION_KEY_INVALID`
 */
export function parseSessionKey(key: string): { kind: string; id: string } {
  const match = SESSION_KEY.exec(key);
  if (match === null) {
    throw new SojournError("E_SESSION_KEY_INVALID", `"${key.slice(0, 80)}" is not a session key; expected kind/id, e.g. room/lobby-7`);
  }
  return { kind: match[1] as string, id: match[2] as string };
}
