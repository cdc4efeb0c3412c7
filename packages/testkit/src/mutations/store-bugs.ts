import type { Mutant } from "./mutant.js";

/** Bugs of keeping sessions in a store, and of getting them back. */
export const storeBugs: readonly Mutant[] = [
  {
    id: "store-not-waited-for",
    rule: 12,
    title: "releases do not wait for the session store, which the record names",
    breaks: ["I2", "I4"],
    needs: ["store"],
    edits: [
      {
        module: "core/ownership/store-keeper",
        find: 'feed.waited = strategy === "hybrid" && owner.cell.durability === "strong";',
        replace: "feed.waited = false;",
      },
    ],
  },
  {
    id: "released-before-logged",
    rule: 12,
    title: "a delta counts as stored when it is sent to the store",
    breaks: ["I2", "I4"],
    needs: ["store", ["allDie", "crash", "powerLoss"]],
    edits: [
      {
        module: "core/ownership/store-feed",
        find: "const { record, need } = prepared; this.#asking = true;",
        replace: "const { record, need } = prepared; this.#asking = true; this.#advance(record.version);",
      },
    ],
  },
  {
    id: "granted-counts-as-stored",
    rule: null,
    title: "a new owner takes what it was granted for stored, and goes on with the log from there",
    breaks: ["I2", "I4"],
    needs: ["store"],
    edits: [
      {
        module: "core/ownership/store-feed",
        find: 'this.#phase = "fencing"; this.#fence();',
        replace: 'this.#phase = "following"; this.#logged = this.#source.version; this.#advance(this.#logged);',
      },
    ],
  },
  {
    id: "log-goes-on-off-the-chain",
    rule: null,
    title: "an owner goes on with a log that ends on another branch",
    breaks: ["I2", "I4", "liveness"],
    needs: ["store", ["crash", "crashAtStep", "crashPair"]],
    edits: [
      { module: "core/ownership/store-feed", find: "|| end.version === tried || !isOnChain(this.#source, end)) {", replace: ") {" },
      {
        module: "core/store/session-head",
        find: "at !== null && at.version === record.fromVersion && at.hash === record.fromHash",
        replace: "at !== null && at.version === record.fromVersion",
      },
    ],
  },
  {
    id: "read-before-fenced",
    rule: 9,
    title: "a session is read from the store without shutting older epochs out",
    breaks: ["I2", "I4"],
    needs: ["store", "sleep"],
    edits: [
      {
        module: "core/ownership/restoring",
        find: 'this.#ask(this.#store.fence(key, this.#start.epoch), (answer) => { if (answer.outcome === "stale")',
        replace: 'this.#ask(Promise.resolve({ outcome: "fenced" }), (answer) => { if (answer.outcome === "stale")',
      },
    ],
  },
  {
    id: "store-takes-old-writes",
    rule: 9,
    title: "the session store takes what an owner of an older epoch writes",
    breaks: ["I2", "I4"],
    needs: ["store", "sleep"],
    edits: [
      {
        module: "core/store/session-head",
        find: 'const { epoch, version, hash } = record; if (epoch < head.fence) return { outcome: "stale", epoch: head.fence };',
        replace: "const { epoch, version, hash } = record;",
      },
      {
        module: "core/store/session-head",
        find: 'judgeBase(head, { epoch, version, hash }) { if (epoch < head.fence) return { outcome: "stale", epoch: head.fence };',
        replace: "judgeBase(head, { epoch, version, hash }) {",
      },
    ],
  },
  {
    id: "log-tail-left-out",
    rule: null,
    title: "a session is restored without the last record of its log",
    breaks: ["I2", "I4"],
    needs: ["store", ["allDie", "crash", "crashPair", "powerLoss"]],
    edits: [{ module: "core/ownership/replay", find: "for (const record of log) {", replace: "for (const record of log.slice(0, -1)) {" }],
  },
  {
    id: "log-swept-too-far",
    rule: null,
    title: "the sweep of old bases takes the log after the newest one with it",
    breaks: ["I2", "I4"],
    needs: ["store", ["allDie", "crash", "crashPair", "powerLoss"]],
    edits: [
      {
        module: "core/store/retention",
        find: "return oldest !== null && comparePositions(record, oldest) <= 0;",
        replace: "return oldest !== null;",
      },
    ],
  },
  {
    id: "ended-session-restored",
    rule: null,
    title: "what an ended session left in the store is taken for the next one of its name",
    breaks: ["I4"],
    needs: ["store", "sessionEnd", "crashAtStep"],
    edits: [
      { module: "node/host/finder", find: "if (former !== null) await this.#ports.purge(key, former.epoch);", replace: "" },
      {
        module: "core/ownership/store-keeper",
        find: "host.store?.remove(key, epoch).catch((error) => {",
        replace: "Promise.resolve().catch((error) => {",
      },
    ],
  },
];
