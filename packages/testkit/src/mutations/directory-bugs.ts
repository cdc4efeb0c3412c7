import type { Mutant } from "./mutant.js";

/** Bugs of the directory. */
export const directoryBugs: readonly Mutant[] = [
  {
    id: "revision-not-compared",
    rule: null,
    title: "a compare-and-set does not compare",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    edits: [
      { module: "core/directory/session-records", find: "if ((previous?.revision ?? 0) !== expectedRevision)", replace: "if (false)" },
      {
        module: "core/directory/session-records",
        find: "freezeRecord(draft, expectedRevision + 1)",
        replace: "freezeRecord(draft, (previous?.revision ?? 0) + 1)",
      },
      { module: "core/directory/session-records", find: "|| draft.epoch < least) {", replace: ") {" },
    ],
  },
  {
    id: "lease-ends-early",
    rule: null,
    title: "the directory ends a lease before its time",
    breaks: ["I1", "I2"],
    edits: [
      {
        module: "core/directory/node-leases",
        find: "this.#expiry.set(ref, Math.max(expiry, nowMs + lease.ttlMs));",
        replace: "this.#expiry.set(ref, nowMs + lease.ttlMs * 0.4);",
      },
    ],
  },
  {
    id: "incarnation-used-again",
    rule: null,
    title: "a node that starts again gets the incarnation that it had",
    breaks: ["I1", "I2", "I4", "I5", "liveness"],
    edits: [
      {
        module: "core/directory/node-leases",
        find: "before === undefined ? 1 : incarnationOf(before.ref) + 1",
        replace: "before === undefined ? 1 : incarnationOf(before.ref)",
      },
    ],
  },
  {
    id: "ended-writer-writes",
    rule: null,
    title: "the directory takes writes of nodes whose lease has ended, and does not tell them that it has",
    breaks: ["I1", "I2", "I4", "I5", "liveness"],
    needs: ["casLate", ["crash", "crashPair", "crashAtStep"]],
    edits: [
      { module: "core/directory/directory-state", find: "if (!this.#leases.isLive(writerRef(draft.writer))) {", replace: "if (false) {" },
    ],
  },
  {
    id: "answered-before-durable",
    rule: null,
    title: "the directory answers before a change is on the disk",
    breaks: ["I1", "I2", "I3", "I5", "liveness"],
    needs: ["directoryPowerLoss"],
    edits: [
      {
        module: "core/directory/directory-engine",
        find: "if (waiting.seq <= this.#durable) waiting.deliver(); else this.#waiting.push(waiting);",
        replace: "waiting.deliver();",
      },
    ],
  },
  {
    id: "restart-ends-leases",
    rule: null,
    title: "a directory that starts again holds every lease that it knew for ended",
    breaks: ["I1", "I2"],
    edits: [
      {
        module: "core/directory/node-leases",
        find: "if (!lease.ended) this.#expiry.set(lease.ref, nowMs + longestMs);",
        replace: "if (!lease.ended) this.#expiry.set(lease.ref, nowMs);",
      },
    ],
  },
];
