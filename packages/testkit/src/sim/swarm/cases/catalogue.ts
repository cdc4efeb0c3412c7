/** One way in which things can come together that has broken systems like this one, and how a run knows that it came about. */
export interface Interleaving {
  /** Its number in the list, with a letter where one number has several sides. */
  readonly id: string;
  readonly name: string;
  /** What must really have happened for it to count. */
  readonly seen: string;
  /** Why it cannot come about yet; such a case is never counted as reached. */
  readonly notYet?: string;
}

const ownership: readonly Interleaving[] = [
  { id: "1", name: "a GRANT for somebody who is not the recorded heir", seen: "it arrives at a node that the record does not name heir" },
  { id: "2", name: "the granter takes back while the target lives", seen: "its write is asked while the heir's process believes to live" },
  { id: "3", name: "a GRANT or TAKEN of an earlier attempt", seen: "it arrives when a later attempt has been offered by the same source" },
  { id: "4a", name: "the answer to a write is lost", seen: "the same write is asked again although it stands" },
  { id: "4b", name: "a write lands after its caller gave up", seen: "it reaches the directory after its caller's patience" },
  {
    id: "5",
    name: "a write is repeated over a restart of the directory",
    seen: "the next life is asked for a write that an earlier life has carried out",
  },
  { id: "6", name: "a stale read", seen: "an answer arrives that is older than the record by then" },
  { id: "7", name: "the directory restarts without the times of its leases", seen: "it comes back while owners live" },
  {
    id: "8",
    name: "the directory is away after the freeze",
    seen: "a node that has granted or taken, and has no COMMIT yet, does not reach it",
  },
  { id: "9", name: "a GRANT again after COMMIT", seen: "it arrives at the recorded owner of that epoch" },
  { id: "10", name: "a GRANT for an earlier life", seen: "it arrives at a later incarnation of its addressee" },
  { id: "11a", name: "the target crashes before its TAKEN is heard", seen: "it runs the session while the granter still waits" },
  { id: "11b", name: "the target crashes after TAKEN, before COMMIT", seen: "the granter has heard it, the record does not name it owner" },
  { id: "11c", name: "the target crashes after COMMIT, before its first turn is seen", seen: "it has released nothing of its own" },
  {
    id: "12",
    name: "the source crashes after COMMIT, before clients are told",
    seen: "the record names the new owner, the source still waits for TAKEN",
  },
  { id: "13", name: "source and target crash", seen: "owner and heir of a record are down at once" },
  {
    id: "14",
    name: "a standby is promoted while the old owner runs",
    seen: "the promotion is written while that process believes to be owner",
  },
  {
    id: "15",
    name: "an append slips in before the fence",
    seen: "a delta of the old owner arrives at a copy whose promotion is being written",
  },
  { id: "16", name: "the lease ends during a pause", seen: "a process that owns sessions wakes after its lease has ended" },
  { id: "17a", name: "the wall clock jumps or strobes", seen: "it does at a node that owns sessions" },
  { id: "17b", name: "a machine sleeps and its monotonic clock stands still", seen: "a node that owns sessions has slept past its lease" },
  { id: "18", name: "a renewal whose answer comes late", seen: "it took longer than the tenth of the lease that a node keeps as margin" },
  {
    id: "19",
    name: "an owner that hears its clients only",
    seen: "an input reaches an owner that hears neither the directory or a standby",
  },
  { id: "20a", name: "a connection is given up while both ends live", seen: "it is lost by silence between an owner and its standby" },
  { id: "20b", name: "a living owner is suspected", seen: "a copy asks to be promoted before the lease of an owner that lives has ended" },
  { id: "21", name: "a chain of moves under a client's message", seen: "a message arrives that two nodes have passed on" },
  {
    id: "22",
    name: "crossing moves between full nodes",
    seen: "a node refuses for want of room an offer by one that it has an offer to itself",
  },
  { id: "23", name: "a session ends while it is being moved", seen: "the ending turn runs while a hand-over is open" },
  {
    id: "24",
    name: "a session that kills every node it lands on",
    seen: "it is quarantined after three crashes",
    notYet: "crashes are not counted in the directory, and there is no quarantine",
  },
  { id: "25", name: "a change of members, a cut and a crash at once", seen: "all three within one second" },
];

const delivery: readonly Interleaving[] = [
  {
    id: "26",
    name: "a client resumes where the epoch is older",
    seen: "its hello names a later epoch than the node's place for the session",
  },
  { id: "27", name: "a client resumes at the target before the GRANT", seen: "a hello or an attach arrives at the recorded heir" },
  { id: "28", name: "an old socket and a new one both write", seen: "a frame of a link arrives on a socket older than its newest hello" },
  { id: "29", name: "a client attaches at two nodes at once", seen: "a hello arrives while another node has not answered the one before" },
  { id: "30", name: "input after the freeze", seen: "it arrives at a frozen owner or a granter" },
  { id: "31a", name: "a handler that waits ends within the drain deadline", seen: "it ends while its owner is frozen" },
  { id: "31b", name: "a handler that waits is rolled back", seen: "its session has left the node when it ends" },
  { id: "32a", name: "an outbox one below its bound, its client away", seen: "a turn finds it so" },
  { id: "32b", name: "an outbox at its bound, its client away", seen: "a turn finds it so" },
  { id: "32c", name: "an outbox past its bound", seen: "its link is gone at the turn after" },
  { id: "33", name: "a client's acknowledgement is lost", seen: "a message that carries one is lost between nodes" },
  { id: "34", name: "epochs near their limit", seen: "a hand-over or fail-over is written beyond epoch 2^52" },
  { id: "35", name: "a crowd of clients comes back at once", seen: "32 hellos of different links within two seconds after a crash" },
  { id: "36", name: "a stolen token", seen: "a hello arrives that repeats one from before the link's newest" },
];

const state: readonly Interleaving[] = [
  { id: "37", name: "a delta that does not fit the copy", seen: "a copy asks for deltas or a base instead of taking it" },
  { id: "38", name: "a copy that never catches up", seen: "a hand-over is given up because the copy was late" },
  { id: "39", name: "a batch with one bad member", seen: "some of its sessions move and others do not" },
  { id: "40a", name: "a timer due during the freeze, at the new owner", seen: "it came due between GRANT and TAKEN" },
  { id: "40b", name: "a timer due during the freeze, after a revert", seen: "it came due before the granter had the session back" },
  { id: "41", name: "a copy that nobody fetches", seen: "a copy that no record names asks its owner to leave" },
  { id: "42", name: "a target that cannot read the state's version", seen: "it refuses the offer for that" },
  { id: "43", name: "a full disk in the middle", seen: "the directory's disk is full while a hand-over is open" },
  { id: "44a", name: "a flipped bit on the way to a copy", seen: "a damaged base, delta or GRANT arrives" },
  { id: "44b", name: "a damaged entry on the disk", seen: "the directory finds it when it opens" },
  { id: "45", name: "everything loses power at once", seen: "every process dies while sessions exist" },
];

const strategies: readonly Interleaving[] = [
  {
    id: "46",
    name: "a session is given another strategy while it is being moved",
    seen: "the write that says so comes while a hand-over is open",
  },
  { id: "47", name: "the owner is lost while the strategy changes", seen: "it crashes with a change under way" },
  { id: "48a", name: "a store that does not answer is left", seen: "a record says that it is not in-sync any more" },
  { id: "48b", name: "a store that was left comes back", seen: "the record says that it is in-sync again" },
];

/** Every case, in order. Those from 46 on are not of the list. */
export const INTERLEAVINGS: readonly Interleaving[] = [...ownership, ...delivery, ...state, ...strategies];
