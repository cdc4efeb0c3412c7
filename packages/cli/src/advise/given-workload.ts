import { STORE_KINDS, type Workload } from "@sojourn/core";
import { type CommandInput, type OptionSpec, UsageError } from "../command-line/command.js";
import { durationOption } from "../command-line/parse.js";
import { parseCount, parseRate, parseSize, parseWord } from "./quantities.js";

/** Options that say what sessions are like. */
export const WORKLOAD_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  size: { value: "<size>", summary: "encoded state of one session, e.g. 5kb" },
  delta: { value: "<size>", summary: "what one turn changes, e.g. 200b" },
  turns: { value: "<rate>", summary: "turns of one session, e.g. 20/s" },
  moves: { value: "<rate>", summary: "moves of all sessions together, e.g. 120/s; of each with /session, e.g. 2/h/session" },
  durability: { value: "<which>", summary: "strong (default) or eventual" },
  sessions: { value: "<count>", summary: "how many there are, e.g. 1M (default 1)" },
  memory: { value: "<size>", summary: "what all nodes together have for sessions, e.g. 64GB (default: no matter)" },
  standbys: { value: "<count>", summary: "copies in memory besides the owner's, under replica (default 1)" },
  store: { value: "<which>", summary: "where snapshots and logs go: disk (default), s3 or redis" },
  interval: { value: "<time>", summary: "how often snapshot writes (default: of snapshotIntervalMs)" },
  base: { value: "<time>", summary: "how often hybrid takes a base if its log is worth one (default: of baseIntervalMs)" },
  lease: { value: "<time>", summary: "leaseTtlMs of the nodes, e.g. 10s (default)" },
};

/**
 * What the options say of the workload; what they do not say is left out.
 * @throws UsageError
 */
export function givenWorkload(input: CommandInput): Partial<Workload> {
  const given: { -readonly [K in keyof Workload]?: Workload[K] } = {};
  const take = <T>(name: string, parse: (option: string, text: string) => T, put: (value: T) => void) => {
    const text = input.values.get(name);
    if (text !== undefined) put(parse(name, text));
  };
  take("size", parseSize, (bytes) => {
    given.stateBytes = bytes;
  });
  take("delta", parseSize, (bytes) => {
    given.deltaBytes = bytes;
  });
  take("memory", parseSize, (bytes) => {
    given.memoryBytes = bytes;
  });
  take("sessions", parseCount, (count) => {
    given.sessions = count;
  });
  take("standbys", parseCount, (count) => {
    given.standbys = count;
  });
  take("turns", parseRate, ({ perSec }) => {
    given.turnsPerSec = perSec;
  });
  take("moves", parseRate, ({ perSec, perSession }) => {
    given.movesPerSec = perSession ? perSec * (given.sessions ?? 1) : perSec;
  });
  take(
    "durability",
    (option, text) => parseWord(option, text, ["strong", "eventual"] as const),
    (durability) => {
      given.durability = durability;
    },
  );
  take(
    "store",
    (option, text) => parseWord(option, text, STORE_KINDS),
    (store) => {
      given.store = store;
    },
  );
  const interval = durationOption(input, "interval");
  if (interval !== undefined) given.snapshotIntervalMs = interval;
  const base = durationOption(input, "base");
  if (base !== undefined) given.baseIntervalMs = base;
  const lease = durationOption(input, "lease");
  if (lease !== undefined) given.leaseTtlMs = lease;
  if (given.stateBytes !== undefined && given.stateBytes < 1) throw new UsageError("--size must be at least 1b");
  return given;
}
