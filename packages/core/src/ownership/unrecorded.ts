/**
 * The chain hash after a turn whose delta nobody keeps. It must not stay what it was: on another branch, or in another life of the
 * session, other turns would come to the same position, and a copy of those would be taken for one of these.
 */
export function afterUnrecorded(hash: number, epoch: number, version: number): number {
  return Math.imul(Math.imul(hash ^ epoch, 0x9e3779b1) ^ version, 0x85ebca6b) >>> 0;
}

/** The chain hash that a life of a session begins with: of its first epoch, so that no two lives share a position. */
export function beginningOf(epoch: number): number {
  return afterUnrecorded(0, epoch, 0);
}
