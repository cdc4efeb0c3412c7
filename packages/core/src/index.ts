export type { GrammarRow } from "./bytes/layout.js";
export { bool, bytes, f64, list, nullable, oneOf, type Shape, str, struct, u32, uint } from "./bytes/layout.js";
export { ByteReader } from "./bytes/reader.js";
export { ByteWriter } from "./bytes/writer.js";
export { createRecordCodec, type RecordCodecOptions } from "./codec/record-codec.js";
export { isLifecycleEvent, LIFECYCLE_EVENTS, type LifecycleEvent } from "./delivery/lifecycle-events.js";
export { type Arrival, ReorderWindow } from "./delivery/reorder-window.js";
export { SendWindow } from "./delivery/send-window.js";
export { DirectoryEngine, type DirectoryEngineOptions } from "./directory/directory-engine.js";
export { DirectoryState } from "./directory/directory-state.js";
export {
  DIRECTORY_MAGIC,
  DIRECTORY_PROTOCOL,
  type DirectoryReply,
  type DirectoryRequest,
  decodeDirectoryReply,
  decodeDirectoryRequest,
  directoryGrammar,
  writeDirectoryReply,
  writeDirectoryRequest,
} from "./directory/frames.js";
export { InMemoryDirectory } from "./directory/in-memory-directory.js";
export { LocalDirectory } from "./directory/local-directory.js";
export { StoredValues } from "./directory/stored-values.js";
export { ERRORS, type ErrorCode } from "./errors/catalogue.js";
export { errorCodeOf, isErrorCode, SojournError } from "./errors/sojourn-error.js";
export { LIMITS, type Limits, resolveLimits } from "./limits/catalogue.js";
export { incarnationOf, isNodeId, kindInKey, type NodeRef, nodeIdOf, nodeRef, parseSessionKey, type SessionKey } from "./names.js";
export type { ChangeOutcome, RecordChange } from "./ownership/cas-driver.js";
export { claim, claimLost, heldByNobody } from "./ownership/drafts.js";
export { type Replayed, replay } from "./ownership/replay.js";
export type { ClientOp, MoveCallbacks } from "./ownership/role.js";
export { Slot } from "./ownership/slot.js";
export type { LinkAddress, LossReport, MoveReport, SlotHost, Suspicion } from "./ownership/slot-host.js";
export type { StrategyCallbacks, StrategyReport } from "./ownership/strategy-change.js";
export type { Crc32 } from "./ports/checksum.js";
export type { ClientRoute, ClientRouter, ClientSocket } from "./ports/client-router.js";
export type { Clock, Scheduled } from "./ports/clock.js";
export type { StateCodec, TableNeed } from "./ports/codec.js";
export type {
  CasOutcome,
  Directory,
  NodeEntry,
  NodeInfo,
  OpenRenewals,
  Place,
  RecordDraft,
  RenewalSource,
  Renewals,
  SessionRecord,
} from "./ports/directory.js";
export type { DirectoryChange, DirectoryContents, DirectoryStore, NodeLease } from "./ports/directory-store.js";
export type { Lane, PeerHealth, Peers, PeersHandler, SendOutcome } from "./ports/peers.js";
export type { Random } from "./ports/random.js";
export type { ChangeTimer, SessionMeter } from "./ports/session-meter.js";
export type {
  AppendOutcome,
  BaseHead,
  BaseWrite,
  ListQuery,
  LogEntry,
  LogRecord,
  Position,
  PruneReport,
  SessionPage,
  SessionStore,
  StaleWrite,
  StoreDamage,
  StoredBase,
  StoredReplica,
} from "./ports/session-store.js";
export type { TurnScope } from "./ports/turn-scope.js";
export { type HistogramData, meanOf, mergeHistograms, percentileOf } from "./profile/histogram-data.js";
export { LogHistogram } from "./profile/log-histogram.js";
export type {
  BroadcastOptions,
  CacheClass,
  EventMap,
  LeaveReason,
  SessionCache,
  SessionContext,
  SessionLink,
  SessionLinks,
  SessionTimers,
} from "./session/context.js";
export { action, defineSession } from "./session/define-session.js";
export type {
  Action,
  ActionMaker,
  ActionsOf,
  Call,
  Durability,
  EventsOf,
  Failover,
  InputOf,
  Priority,
  ReplyOf,
  SessionDefinition,
  SessionSpec,
  StateOf,
  WakeInfo,
} from "./session/definition.js";
export { sameNumbering } from "./session/generations.js";
export { createSessionFactory } from "./session/session-factory.js";
export type { SessionCell, SessionFactory } from "./session/session-port.js";
export type {
  AttachInput,
  AttachVerdict,
  ClosedLink,
  Link,
  MessageInput,
  OutboxEntry,
  SessionEnv,
  TurnInput,
  TurnResult,
} from "./session/types.js";
export { TrackedState } from "./state/tracked-state.js";
export { isUnder } from "./store/list-prefix.js";
export { appendFailed, LogRecords } from "./store/log-record.js";
export { type DamagedRecord, followLog, proveReplica, type ReplicaParts } from "./store/prove-replica.js";
export { isBefore, type PrunePlan, planPrune } from "./store/retention.js";
export { joinPieces, openBase, type SealOptions, sealBase, sealWhole } from "./store/sealed-base.js";
export {
  comparePositions,
  type Judged,
  judgeBase,
  judgeFence,
  judgeRecord,
  judgeRemove,
  NO_HEAD,
  newerOf,
  type SessionHead,
} from "./store/session-head.js";
export { StoreWriter } from "./store/store-writer.js";
export { decodeHead, encodeHead } from "./store/stored-head.js";
export { type Advice, advise } from "./strategy/advise.js";
export type { ChecklistLine } from "./strategy/checklist.js";
export { type Choice, type ChoiceOptions, chooseStrategy } from "./strategy/choose.js";
export { estimateStrategy, type StrategyEstimate } from "./strategy/estimate.js";
export { FIGURES, type Figure, type FigureName, type Figures, resolveFigures } from "./strategy/figures.js";
export type { Flip, FlipInput } from "./strategy/flips.js";
export type { Ranked } from "./strategy/rank.js";
export type { Estimate } from "./strategy/reckoning.js";
export type { Charge, Obstacle } from "./strategy/score.js";
export {
  type Basis,
  needsStore,
  RUNNABLE_STRATEGIES,
  STORE_KINDS,
  STRATEGIES,
  type StoreKind,
  type Strategy,
} from "./strategy/strategy.js";
export { DEFAULT_DELTA_BYTES, resolveWorkload, type Workload, type WorkloadInput } from "./strategy/workload.js";
export {
  CLIENT_PROTOCOL,
  type ClientFrame,
  type ClientFrameOf,
  clientGrammar,
  decodeClientFrame,
  encodeClientFrame,
} from "./wire/client-frames.js";
export { decodePayload, encodePayload, MAX_PAYLOAD_DEPTH } from "./wire/payload.js";
export {
  decodePeerMessage,
  encodePeerMessage,
  PEER_PROTOCOL,
  type PeerMessage,
  type PeerMessageOf,
  peerGrammar,
} from "./wire/peer-messages.js";
