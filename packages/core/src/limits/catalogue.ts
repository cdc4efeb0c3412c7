import { SojournError } from "../errors/sojourn-error.js";

/** One bound: its default, the range an option may take, and what it bounds. The unit is the last word of its name. */
export interface Bound {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly doc: string;
}

const bound = (def: number, min: number, max: number, doc: string): Bound => ({
  default: def,
  min,
  max,
  doc,
});

/** Every bound of Sojourn. docs/limits.md is kept equal to this table by a test. */
export const LIMITS = {
  // frames
  maxClientFrameBytes: bound(262_144, 1_024, 16_777_216, "largest WebSocket message from or to a client"),
  maxPeerFrameBytes: bound(1_048_576, 65_536, 67_108_864, "largest frame between two nodes; larger data is cut into chunks"),
  bulkChunkBytes: bound(131_072, 4_096, 1_048_576, "size of one chunk of a snapshot on the bulk lane"),
  liveArrayBytes: bound(262_144, 4_096, 1_073_741_824, "typed arrays from this size on are copied piece by piece while the session runs"),
  maxSnapshotBytes: bound(268_435_456, 65_536, 1_073_741_824, "largest encoded session a node accepts"),
  // state
  maxStateDepth: bound(200, 8, 1_000, "deepest nesting of a session's state"),
  maxSharedShapes: bound(1_024, 0, 16_384, "object shapes the codec of one session kind keeps in its table"),
  maxCodecLineages: bound(1_024, 1, 65_536, "tables of other encoders kept for one session kind; the least recently used is dropped"),
  // links
  maxOutboxMessages: bound(1_024, 1, 1_000_000, "unacknowledged messages kept for one client"),
  maxOutboxBytes: bound(1_048_576, 1_024, 268_435_456, "unacknowledged bytes kept for one client"),
  maxUnackedInputs: bound(1_024, 1, 1_000_000, "inputs a client keeps until they are acknowledged"),
  reorderWindowMessages: bound(256, 1, 65_536, "messages parked for one link until an earlier one arrives"),
  linkGraceMs: bound(120_000, 0, 86_400_000, "how long a link outlives its last socket"),
  maxLinksPerSession: bound(10_000, 1, 1_000_000, "links one session may have"),
  maxQueuedInputs: bound(4_096, 1, 1_000_000, "inputs waiting for one session on one node"),
  maxTimersPerSession: bound(1_024, 1, 1_000_000, "timers one session may have set"),
  maxCacheBytes: bound(4_194_304, 0, 1_073_741_824, "estimated bytes of the carried and lazy cache entries of one session"),
  maxCacheEntries: bound(4_096, 0, 1_000_000, "cache entries of one session, of every class"),
  // gateway
  maxClientConnections: bound(50_000, 1, 1_000_000, "client sockets one node accepts"),
  helloTimeoutMs: bound(10_000, 100, 120_000, "time a new socket has to say which session it wants"),
  spareSocketMs: bound(30_000, 0, 600_000, "how long an attached-nowhere socket is kept for a client's return"),
  clientHeartbeatMs: bound(15_000, 100, 300_000, "silence after which a client connection is probed; twice this and it is closed"),
  maxSocketBacklogBytes: bound(8_388_608, 65_536, 1_073_741_824, "bytes buffered towards one socket before it is closed"),
  // control channel
  peerHeartbeatMs: bound(1_000, 50, 60_000, "interval of end-to-end heartbeats between nodes"),
  peerTimeoutMs: bound(4_000, 200, 120_000, "silence after which a connection to a node counts as lost"),
  peerConnectTimeoutMs: bound(3_000, 100, 60_000, "time to open a connection to a node"),
  peerReconnectMaxMs: bound(2_000, 10, 60_000, "longest pause between attempts to reconnect to a node"),
  maxPeerQueueBytes: bound(67_108_864, 1_048_576, 1_073_741_824, "bytes queued towards one node over both lanes"),
  bulkWindowBytes: bound(4_194_304, 65_536, 268_435_456, "bulk bytes in flight to one node without a credit"),
  maxPeers: bound(4_096, 1, 100_000, "known nodes from which on one node refuses those that it did not ask for"),
  maxPeerHandshakes: bound(256, 1, 100_000, "inbound control connections that have not yet said who they are"),
  // leases and directory
  leaseTtlMs: bound(10_000, 200, 600_000, "how long a node may own sessions without renewing its lease"),
  maxStallMs: bound(10_000, 100, 600_000, "how long a node's event loop may stand still before its lease is no longer renewed"),
  directoryTimeoutMs: bound(3_000, 50, 120_000, "time after which a directory request counts as unanswered"),
  directoryStallMs: bound(100, 5, 60_000, "how late the directory's own lease check may run before every lease is put off by the delay"),
  maxDirectoryConnections: bound(4_096, 1, 100_000, "connections one directory server accepts"),
  maxDirectoryRequests: bound(8_192, 1, 1_000_000, "requests under way on one directory connection"),
  maxDirectoryRequestBytes: bound(65_536, 4_096, 1_048_576, "largest frame to the directory, and so the largest record"),
  maxDirectoryWatches: bound(1_024, 1, 100_000, "watches on one directory connection"),
  directoryRetryMs: bound(50, 1, 60_000, "pause before an unanswered directory request is sent again (doubles, with jitter)"),
  // hand-over
  offerTimeoutMs: bound(2_000, 50, 120_000, "time the target has to accept a session"),
  copyTimeoutMs: bound(30_000, 100, 3_600_000, "time to bring the target's copy up to date"),
  drainDeadlineMs: bound(1_000, 1, 600_000, "time the turn in hand has to finish once the session is frozen"),
  grantResendMs: bound(100, 5, 60_000, "pause before an unanswered GRANT is sent again"),
  heirDeadlineMs: bound(5_000, 50, 600_000, "time an heir waits for its GRANT before it declines"),
  replicaRetentionMs: bound(60_000, 100, 86_400_000, "how long a copy that nobody names is kept"),
  maxMovesInFlight: bound(256, 1, 100_000, "hand-overs one node gives away at the same time"),
  maxIncomingMoves: bound(512, 1, 100_000, "hand-overs one node takes in at the same time"),
  maxDeltaLogBytes: bound(1_048_576, 4_096, 268_435_456, "recent deltas kept per session to bring replicas up to date"),
  standbys: bound(1, 0, 8, "in-memory copies kept of each session besides its owner's"),
  maxCopyBytes: bound(
    1_073_741_824,
    65_536,
    1_099_511_627_776,
    "encoded bytes of other nodes' sessions one node keeps copies of; then it takes no more of them",
  ),
  suspectAfterMs: bound(
    1_000,
    50,
    600_000,
    "silence after which a node is suspected: copies of its `strong` sessions need not wait for the end of its lease",
  ),
  suspectSettleMs: bound(
    10_000,
    0,
    600_000,
    "how long a session must have been with its owner before the owner's silence alone moves it on",
  ),
  maxPromotionsInFlight: bound(128, 1, 100_000, "sessions of lost nodes one node takes over at the same time"),
  deltaGatherMs: bound(5, 0, 10_000, "how long changes of an `eventual` session are gathered before they go to its copies"),
  ackTimeoutMs: bound(1_000, 20, 120_000, "pause before unacknowledged deltas are sent again"),
  maxRelayHops: bound(4, 1, 16, "nodes that may pass on one client message before the directory is asked"),
  bounceSettleMs: bound(500, 0, 60_000, "how long a session that moves often must stay before its clients are told to switch"),
  commandTimeoutMs: bound(60_000, 100, 3_600_000, "how long an operator's command may take on another node"),
  maxAdminRequestBytes: bound(65_536, 1_024, 16_777_216, "largest body of a request to the admin API"),
  profileWindowMs: bound(10_000, 50, 600_000, "over how long turns are counted before a node's profile learns their rate"),
  maxProfiledSessions: bound(200, 0, 100_000, "busiest sessions of which a node's profile keeps details; of the others it keeps sums"),
  maxProfiledStateBytes: bound(262_144, 0, 268_435_456, "largest session that is encoded only to learn its size for the profile"),
  maxRoutes: bound(1_000_000, 1_000, 100_000_000, "sessions whose owner and newest epoch one node remembers"),
  // stores
  maxStoreRecordBytes: bound(16_777_216, 1_024, 268_435_456, "largest record of a session's log in a store"),
  retainedBases: bound(2, 1, 64, "good snapshots a store keeps of each session; older ones are pruned"),
  storePieceBytes: bound(262_144, 4_096, 16_777_216, "pieces in which a store on disk or in memory keeps a large snapshot"),
  storePartBytes: bound(8_388_608, 5_242_880, 1_073_741_824, "parts in which a large snapshot is uploaded to an object store"),
  storeTimeoutMs: bound(
    10_000,
    50,
    600_000,
    "time a store has to answer one request; to take or read a large snapshot it has `copyTimeoutMs`",
  ),
  maxStoreRequests: bound(32, 1, 1_024, "requests under way to one object store"),
  storeRetryMs: bound(200, 1, 60_000, "pause before a request that failed at a store is made again (doubles, with jitter)"),
  storePatienceMs: bound(
    3_000,
    20,
    600_000,
    "how long the output of a `strong` session waits for a store that does not answer before the session goes on over a copy in memory",
  ),
  maxUnreleasedTurns: bound(
    4_096,
    1,
    1_000_000,
    "turns of one session whose output waits; then no further one runs until some are acknowledged",
  ),
  strategyTimeoutMs: bound(60_000, 100, 3_600_000, "time a change of strategy has until the store, or enough copies, hold the session"),
  strategySettleMs: bound(
    30_000,
    0,
    86_400_000,
    "how long a session of a kind with the strategy `auto` keeps a strategy that it was given",
  ),
  maxStrategyChanges: bound(
    64,
    1,
    100_000,
    "sessions of kinds with the strategy `auto` that one node gives another strategy at the same time",
  ),
  lastBasesMs: bound(5_000, 1, 600_000, "how long a node that stops on purpose waits until its sessions are in their store as they are"),
  storeSweepMs: bound(60_000, 100, 86_400_000, "pause between two sweeps of a node through its session store"),
  maxSweptPerSec: bound(200, 1, 100_000, "sessions in a store that one node looks at in a second of a sweep"),
  fenceRetentionMs: bound(86_400_000, 100, 2_592_000_000, "how long the fence of a session that has ended stays in its store"),
  maxStoreAppendEntries: bound(1_024, 1, 65_536, "sessions whose log records go to a store in one write"),
  maxStoreLogBytes: bound(4_194_304, 4_096, 1_073_741_824, "bytes of a session's log after which its next snapshot is taken"),
  replayBudgetMs: bound(20, 1, 60_000, "estimated time to replay a session's log after which its next snapshot is taken"),
  baseIntervalMs: bound(10_000, 50, 86_400_000, "how often a `hybrid` session that changes is given a snapshot if its log is worth one"),
  baseLogPercent: bound(
    50,
    0,
    10_000,
    "size of a session's log over that of its last snapshot, in per cent, from which on the log is worth the next at `baseIntervalMs`",
  ),
  snapshotIntervalMs: bound(5_000, 50, 86_400_000, "longest time from a change of a `snapshot` session to its next snapshot"),
  maxStoreListEntries: bound(1_000, 1, 1_000, "sessions on one page of a store's list"),
  // clients
  callTimeoutMs: bound(30_000, 10, 3_600_000, "how long a call waits for its reply"),
  reconnectMinMs: bound(50, 1, 60_000, "first pause before a client connects again"),
  reconnectMaxMs: bound(5_000, 10, 600_000, "longest pause before a client connects again"),
  connectTimeoutMs: bound(30_000, 100, 600_000, "how long a client tries to reach its session for the first time"),
  attemptTimeoutMs: bound(
    5_000,
    50,
    120_000,
    "time one attempt to connect may take, from opening the socket to the welcome, or since the node last said that it keeps the hello",
  ),
  ackDelayMs: bound(50, 0, 10_000, "longest time a client holds back an acknowledgement"),
  ackEveryMessages: bound(32, 1, 65_536, "messages after which a client acknowledges at once"),
  gapRetryMs: bound(500, 10, 60_000, "pause before a client asks again for a message that is missing"),
  maxRetransmits: bound(5, 1, 100, "times a client sends the same messages again before it gives up the socket"),
  maxSpareSockets: bound(2, 0, 16, "sockets a client keeps for a move back"),
  maxKnownEndpoints: bound(32, 1, 1_024, "endpoints a client remembers"),
  switchSpreadMs: bound(1_000, 0, 60_000, "time over which clients that landed on another node than the owner switch to it"),
  maxSwitchAttempts: bound(5, 1, 100, "times a client tries to reach a better endpoint before it stays on the relay"),
  retransmitMs: bound(2_000, 50, 120_000, "time after which an unacknowledged client message is sent again on a live socket"),
} as const satisfies Record<string, Bound>;

/** Every bound with a value. */
export type Limits = { readonly [K in keyof typeof LIMITS]: number };

/**
 * Completes partial limits with the defaults.
 * @throws SojournError `E_LIMIT_INVALID` for an unknown name, a non-integer, or a value outside its range.
 */
export function resolveLimits(partial: Partial<Limits> = {}): Limits {
  const resolved: Record<string, number> = {};
  for (const [name, b] of Object.entries(LIMITS)) resolved[name] = b.default;
  for (const [name, value] of Object.entries(partial)) {
    if (value === undefined) continue;
    const b: Bound | undefined = Object.hasOwn(LIMITS, name) ? LIMITS[name as keyof typeof LIMITS] : undefined;
    if (b === undefined) throw new SojournError("E_LIMIT_INVALID", `unknown limit "${name}"`, { name });
    if (!Number.isInteger(value) || value < b.min || value > b.max) {
      throw new SojournError("E_LIMIT_INVALID", `${name} must be a whole number from ${b.min} to ${b.max}, got ${value}`, { name, value });
    }
    resolved[name] = value;
  }
  return resolved as Limits;
}
