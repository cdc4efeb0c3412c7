import type { Mutant } from "./mutant.js";

/** Bugs of changing how a session is kept, and of going on without a store that does not answer. */
export const strategyBugs: readonly Mutant[] = [
  {
    id: "strategy-before-stored",
    rule: 2,
    title: "a session is recorded as kept in the store before the store holds what was released",
    breaks: ["I2", "I4"],
    needs: ["strategies"],
    edits: [
      {
        module: "core/ownership/strategy-change",
        find: "if (!feed.following || feed.acked < this.#since) return false; if (!strong)",
        replace: "if (!strong)",
      },
      { module: "core/ownership/strategy-change", find: "return feed.acked >= this.#waitedAt;", replace: "return true;" },
    ],
  },
  {
    id: "store-joins-behind",
    rule: 2,
    title: "a store that comes back is recorded as in-sync before it has caught up",
    breaks: ["I2", "I4"],
    needs: [["strategies", "storeDown", "storeFull"]],
    edits: [
      { module: "core/ownership/store-member", find: "if (!feed.following || feed.failures > 0) {", replace: "if (feed.failures > 0) {" },
      { module: "core/ownership/store-member", find: "if (feed.acked < this.#waitedAt) return;", replace: "" },
    ],
  },
  {
    id: "store-left-unrecorded",
    rule: 3,
    title: "releases do not wait any more for a store that does not answer, before the record has dropped it",
    breaks: ["I2", "I4"],
    needs: [["storeDown", "storeFull"]],
    edits: [
      {
        module: "core/ownership/store-member",
        find: "if (!record.stored && !this.#writing) this.#left(feed);",
        replace: "this.#left(feed);",
      },
    ],
  },
  {
    id: "store-let-go-first",
    rule: 3,
    title: "a session that is to have copies in memory lets go of the store before the record says so",
    breaks: ["I2", "I4"],
    needs: ["strategies"],
    edits: [
      {
        module: "core/ownership/store-keeper",
        find: "this.#change = change;",
        replace: 'this.#change = change; if (to === "replica") this.#close();',
      },
    ],
  },
  {
    id: "store-let-go-without-copies",
    rule: 3,
    title: "a session lets go of the store although nobody else is in-sync",
    breaks: ["I2"],
    needs: ["strategies"],
    edits: [
      {
        module: "core/ownership/strategy-change",
        find: "if (this.#ports.live(record).length >= this.#ports.copies) this.#write(false);",
        replace: "this.#write(false);",
      },
      {
        module: "core/ownership/drafts",
        find: "if (record.stored && !to.stored && record.inSync.length < Math.max(1, copies)) return null; if (record.inSync.length < copies) return null;",
        replace: "",
      },
    ],
  },
];
