import type { Mutant } from "./mutant.js";

/** Bugs that were in this code until the simulator found them, put back. */
export const foundBugs: readonly Mutant[] = [
  {
    id: "empty-slot-kept",
    rule: null,
    title: "a slot is not looked at again when its last write has come to its end",
    breaks: ["I6"],
    edits: [{ module: "core/ownership/cas-driver", find: "this.#events.idle();", replace: "this.#events.idle;" }],
  },
  {
    id: "created-for-nobody",
    rule: null,
    title: "whatever asks the directory for a session creates it where it is not, also the end of a socket",
    breaks: ["I6", "liveness"],
    edits: [
      {
        module: "node/host/ingress",
        find: "const ended = record?.ended === true;",
        replace: "const ended = false; if (!ended) return true;",
      },
    ],
  },
];
