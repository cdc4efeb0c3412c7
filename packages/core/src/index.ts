export { ERRORS, type ErrorCode } from "./errors/catalogue.js";
export { errorCodeOf, isErrorCode, SojournError } from "./errors/sojourn-error.js";
export { LIMITS, type Limits, resolveLimits } from "./limits/catalogue.js";
export { incarnationOf, isNodeId, type NodeRef, nodeIdOf, nodeRef, parseSessionKey, type SessionKey } from "./names.js";
export type { Crc32 } from "./ports/checksum.js";
export type { Clock, Scheduled } from "./ports/clock.js";
export type {
  CasOutcome,
  Directory,
  NodeEntry,
  NodeInfo,
  Place,
  RecordDraft,
  SessionRecord,
} from "./ports/directory.js";
export type { Random } from "./ports/random.js";
