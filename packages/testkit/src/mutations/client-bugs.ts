import type { Mutant } from "./mutant.js";

/** Bugs of the client. */
export const clientBugs: readonly Mutant[] = [
  {
    id: "arrival-acknowledged",
    rule: null,
    title: "a client confirms the highest number that arrived, although an earlier one is missing",
    breaks: ["I4", "liveness"],
    edits: [
      {
        module: "client/outputs",
        find: "const arrival = this.#window.accept(output.seq, output);",
        replace: "const arrival = this.#window.accept(output.seq, output); this.highest = Math.max(this.highest ?? 0, output.seq);",
      },
      {
        module: "client/outputs",
        find: "this.#owed = 0; return this.last;",
        replace: "this.#owed = 0; return Math.max(this.last, this.highest ?? 0);",
      },
    ],
  },
  {
    id: "output-handed-over-twice",
    rule: null,
    title: "a client hands over an output that it had before",
    breaks: ["I4"],
    edits: [
      {
        module: "core/delivery/reorder-window",
        find: 'if (seq < this.#next || this.#parked.has(seq)) return "duplicate";',
        replace: 'if (seq < this.#next) { this.#deliver(item, seq); return "duplicate"; } if (this.#parked.has(seq)) return "duplicate";',
      },
    ],
  },
  {
    id: "gap-passed-over",
    rule: null,
    title: "a client goes on past a missing output",
    breaks: ["I4", "liveness"],
    edits: [
      {
        module: "core/delivery/reorder-window",
        find: 'if (seq - this.#next > this.#maxParked) return "dropped";',
        replace: 'if (seq - this.#next > 3) { this.#next = seq + 1; this.#deliver(item, seq); return "delivered"; }',
      },
    ],
  },
  {
    id: "one-too-many-acknowledged",
    rule: null,
    title: "an acknowledgement drops one input too many at the client",
    breaks: ["I4", "liveness"],
    edits: [
      {
        module: "core/delivery/send-window",
        find: "const count = seq - this.#acked; if (count <= 0) return 0;",
        replace: "const count = Math.min(seq + 1, this.last) - this.#acked; if (count <= 0) return 0;",
      },
    ],
  },
  {
    id: "inputs-not-sent-again",
    rule: null,
    title: "a client sends an input once",
    breaks: ["I4", "liveness"],
    edits: [{ module: "client/inputs", find: "this.#room = FIRST_BURST; this.#catchUp();", replace: "" }],
  },
  {
    id: "numbers-kept-after-a-reset",
    rule: null,
    title: "a client keeps its numbers when its link is started anew",
    breaks: ["I4", "liveness"],
    edits: [{ module: "client/link", find: "this.#inputs.reset(frame.lastIn + 1); this.#outputs.reset(frame.nextOut);", replace: "" }],
  },
];
