/** A seed that once found something wrong. It is run for ever. */
export interface RegressionSeed {
  readonly seed: number;
  /** What its sessions were kept by; `replica` when left out. `drawn`: as the seed has it, with changes where it has any. */
  readonly strategy?: "replica" | "hybrid" | "drawn";
  /** What it found. */
  readonly was: string;
}

/** What a seed draws changes with the plan; each has a small test of its own beside the code that was wrong. */
export const REGRESSION_SEEDS: readonly RegressionSeed[] = [
  { seed: 25, was: "the slot of a node stayed, empty, when another one had created the session first" },
  { seed: 31, was: "the slot of a node stayed, empty, when another one had created the session first" },
  { seed: 73, was: "an empty slot whose last write was undecided was never thrown away" },
  { seed: 103, was: "the end of a spare socket brought a session back that had ended" },
  { seed: 965, was: "a slow request to create a session was carried out after the session had lived and ended" },
  { seed: 547, was: "a client took the welcome of a link that had ended for that of the next one" },
  { seed: 371, was: "an attach that came twice was refused the second time, which closed the socket that was welcome already" },
  { seed: 407, was: "a client whose link had ended was told that its numbers were invalid" },
  { seed: 15, was: "a granter that had taken its session back began it again when the answer to its write came" },
  { seed: 695, was: "a node with older code took over a session that it could not run, and kept it" },
  { seed: 562, was: "a granter with older code could not take a base of what the newer code made of the session, and held it up for ever" },
  { seed: 838, was: "a granter that refused an offer threw away the copy that the new owner waited for" },
  { seed: 10444, was: "a replica that had gone another way before the version that it was asked about was asked for ever" },
  { seed: 10755, was: "a copy of a new life was given up for the late word that the life before had ended, and was fed in vain for ever" },
  { seed: 243, was: "a link that a late hello had begun anew went on under the numbers of the link before" },
  { seed: 4393, was: "a copy that was not needed any more was dropped although the session was being handed to it" },
  {
    seed: 767,
    strategy: "drawn",
    was: "a store that a base had brought up to date was taken for one that does not answer, and never came back",
  },
  { seed: 7269, was: "late frames of a link that was lost with its session counted for the link of that name in the session's next life" },
  { seed: 7000, was: "a client whose link had ended was told that its numbers were invalid, as a late copy of a hello had begun it anew" },
  {
    seed: 7579,
    was: "a client whose link had ended was told that its numbers were invalid, as somebody had said an old hello of it again",
  },
  {
    seed: 244,
    strategy: "drawn",
    was: "a late copy of a hello made the numbers of the next one, which its client had made before, look like those of a client without memory",
  },
  {
    seed: 104535,
    strategy: "drawn",
    was: "what had come of a live copy by an owner before was taken for that of the present one, which then never came",
  },
  {
    seed: 103918,
    strategy: "drawn",
    was: "the late snapshot of a live copy was taken although its sender had given its pieces up, and they had not come",
  },
  {
    seed: 2110,
    strategy: "drawn",
    was: "a copy that had taken over counted the session store in before that had what the owner before had shown",
  },
  {
    seed: 8385,
    was: "a turn of a life that was lost was released by a machine that had slept, which is told apart from a broken promise now",
  },
  {
    seed: 213988,
    strategy: "drawn",
    was: "a client whose link ended in a session that had begun anew before was told that the session had been lost with it",
  },
  {
    seed: 202897,
    strategy: "drawn",
    was: "a late word on a client's link was taken for the answer to the hello of the link that had taken its place",
  },
  {
    seed: 221060,
    strategy: "drawn",
    was: "a client was welcomed at a socket that its link had left for a late copy of its hello, and was never told that its link ended",
  },
  {
    seed: 210909,
    strategy: "drawn",
    was: "a process that was paused released, when it woke, turns that had been acknowledged in a life of the session that had ended since; they were held against the next life",
  },
  {
    seed: 234521,
    strategy: "drawn",
    was: "the same of a machine that had slept",
  },
  {
    seed: 225191,
    strategy: "drawn",
    was: "a client whose newest hello was overtaken by a late copy of an earlier one went on at a socket that its link did not have",
  },
  {
    seed: 224721,
    strategy: "drawn",
    was: "a thief's hello still waited at a node when the run ended its sessions, and began one anew that nobody ended",
  },
  {
    seed: 232127,
    strategy: "drawn",
    was: "a node that had been slow did what had come meanwhile as slowly for minutes, and held a copy at the end; that of an owner that had sent the copy anew ten times a second",
  },
];
