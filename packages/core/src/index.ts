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
export type { Lane, Peers, PeersHandler, SendOutcome } from "./ports/peers.js";
export type { TurnScope } from "./ports/turn-scope.js";
export { ByteReader } from "./bytes/reader.js";
export { ByteWriter } from "./bytes/writer.js";
export { bool, bytes, f64, list, nullable, oneOf, type Shape, str, struct, u32, uint } from "./bytes/layout.js";
export { isLifecycleEvent, LIFECYCLE_EVENTS, type LifecycleEvent } from "./delivery/lifecycle-events.js";
export { type Arrival, ReorderWindow } from "./delivery/reorder-window.js";
export { SendWindow } from "./delivery/send-window.js";
export type { ClientRoute, ClientRouter, ClientSocket } from "./ports/client-router.js";
export { CLIENT_PROTOCOL, type ClientFrame, type ClientFrameOf, decodeClientFrame, encodeClientFrame } from "./wire/client-frames.js";
export { DirectoryEngine, type DirectoryEngineOptions } from "./directory/directory-engine.js";
export { DirectoryState } from "./directory/directory-state.js";
export {
  DIRECTORY_MAGIC,
  DIRECTORY_PROTOCOL,
  type DirectoryReply,
  type DirectoryRequest,
  decodeDirectoryReply,
  decodeDirectoryRequest,
  writeDirectoryReply,
  writeDirectoryRequest,
} from "./directory/frames.js";
export { InMemoryDirectory } from "./directory/in-memory-directory.js";
export { LocalDirectory } from "./directory/local-directory.js";
export { StoredValues } from "./directory/stored-values.js";
export type { DirectoryChange, DirectoryContents, DirectoryStore, NodeLease } from "./ports/directory-store.js";
export { createRecordCodec, type RecordCodecOptions } from "./codec/record-codec.js";
export type { StateCodec, TableNeed } from "./ports/codec.js";
export { decodePayload, encodePayload, MAX_PAYLOAD_DEPTH } from "./wire/payload.js";
export type { ActionsOf, EventsOf, InputOf, ReplyOf, StateOf } from "./session/definition.js";
