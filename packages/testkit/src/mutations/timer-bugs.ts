import type { Mutant } from "./mutant.js";

/** Bugs of timers. */
export const timerBugs: readonly Mutant[] = [
  {
    id: "timer-fires-again",
    rule: null,
    title: "a timer that has fired stays set",
    breaks: ["I7"],
    needs: ["timers"],
    edits: [
      {
        module: "core/session/timer-table",
        find: "if (timer.everyMs === null) { this.put(name, null); return; }",
        replace: "if (timer.everyMs === null) { this.put(name, { dueMs: nowMs + 50, everyMs: null }); return; }",
      },
    ],
  },
  {
    id: "timer-rearmed-by-the-move",
    rule: null,
    title: "the new owner arms a timer again that has fired at the old one",
    breaks: ["I7"],
    needs: ["timers"],
    edits: [
      {
        module: "core/session/delta",
        find: "if (timer === undefined) ops.push(OP.timer, name, null, null);",
        replace: "if (timer === undefined) { }",
      },
    ],
  },
  {
    id: "timer-left-behind",
    rule: null,
    title: "a snapshot does not carry the timers",
    breaks: ["I7", "I8"],
    needs: ["timers"],
    edits: [
      {
        module: "core/session/snapshot",
        find: "body.timers.put(name, { dueMs: nowMs + timer.num(), everyMs: timer.numOrNull() });",
        replace: "timer.num(); timer.numOrNull();",
      },
    ],
  },
  {
    id: "overdue-timer-not-armed",
    rule: null,
    title: "a timer that came due while nobody ran the session never fires",
    breaks: ["I7"],
    needs: ["timers"],
    edits: [
      {
        module: "core/ownership/session-alarms",
        find: "if (atMs === this.#alarmAtMs || this.#stopped || this.#still) return;",
        replace: "if (atMs === this.#alarmAtMs || this.#stopped || atMs < this.#host.clock.now()) return;",
      },
    ],
  },
  {
    id: "timer-starts-anew",
    rule: null,
    title: "a timer starts from its whole delay at each move",
    breaks: ["I7"],
    needs: ["timers"],
    edits: [
      { module: "core/session/snapshot", find: "Math.max(0, dueMs - nowMs), everyMs]", replace: "everyMs ?? 300, everyMs]" },
      {
        module: "core/session/delta",
        find: "ops.push(OP.timer, name, Math.max(0, timer.dueMs - nowMs), timer.everyMs);",
        replace: "ops.push(OP.timer, name, timer.everyMs ?? 300, timer.everyMs);",
      },
    ],
  },
];
