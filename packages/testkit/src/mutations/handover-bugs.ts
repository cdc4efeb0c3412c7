import type { Mutant } from "./mutant.js";

/** Bugs of moving a session and of taking one over. */
export const handoverBugs: readonly Mutant[] = [
  {
    id: "frozen-in-a-turn",
    rule: null,
    title: "the session is granted while a turn is still in hand, and whose changes stay in the copy that is kept",
    breaks: ["I2", "I3", "I4", "liveness"],
    needs: ["io"],
    edits: [
      { module: "core/ownership/turn-loop", find: "if (!this.#cell.busy && !this.#running) {", replace: "{" },
      { module: "core/session/session", find: "if (turn === null) return; turn.drop();", replace: "if (turn === null) return;" },
    ],
  },
  {
    id: "runs-on-after-the-grant",
    rule: 5,
    title: "the old owner runs on for a moment after it has sent its GRANT",
    breaks: ["I1", "I2", "I3", "I4", "liveness"],
    needs: ["copies"],
    edits: [
      {
        module: "core/ownership/move-out",
        find: 'slot.host.send(this.target, "control", grant); this.#phase = { name: "over" }; const waiting = owner.takeWaiting(); slot.becomeGranted({ cell, to: this.target, waiting, startedAtMs: this.#startedAtMs, frozenAtMs, callbacks: this.#callbacks, grant });',
        replace:
          'slot.host.send(this.target, "control", grant); owner.thaw(); this.#host.clock.schedule(20, () => { if (this.#phase.name === "over") return; this.#phase = { name: "over" }; const waiting = owner.takeWaiting(); slot.becomeGranted({ cell, to: this.target, waiting, startedAtMs: this.#startedAtMs, frozenAtMs, callbacks: this.#callbacks, grant }); });',
      },
    ],
  },
  {
    id: "aborted-turn-stays",
    rule: null,
    title: "a turn that is rolled back at the drain deadline keeps what it changed",
    breaks: ["I2", "I4", "I8"],
    needs: ["io"],
    edits: [{ module: "core/session/session", find: "if (turn === null) return; turn.drop();", replace: "if (turn === null) return;" }],
  },
  {
    id: "heir-stays-recorded",
    rule: null,
    title: "COMMIT leaves the heir in the record",
    breaks: ["I5", "liveness"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: ".slice(0, keep); return { ...record, epoch, owner: self, inSync, heir: null };",
        replace: ".slice(0, keep); return { ...record, epoch, owner: self, inSync };",
      },
    ],
  },
  {
    id: "no-commit",
    rule: null,
    title: "the new owner never writes COMMIT",
    breaks: ["I1", "I5", "liveness"],
    edits: [{ module: "core/ownership/owner", find: 'if (cause.kind === "taken") this.#commit(cause.from);', replace: "" }],
  },
  {
    id: "no-step-down",
    rule: null,
    title: "an owner that sees another one in the record goes on",
    breaks: ["I1", "I2", "I4", "liveness"],
    edits: [{ module: "core/ownership/owner", find: "else if (record.owner !== host.self) { this.#stepDown(record); }", replace: "" }],
  },
  {
    id: "same-epoch-after-decline",
    rule: null,
    title: "a heir that declines leaves the epoch as it is, so that a late GRANT is good again",
    breaks: ["I1", "I2", "I3", "I5", "liveness"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "return { ...record, epoch: epoch + 2, heir: null };",
        replace: "return { ...record, epoch, heir: null };",
      },
    ],
  },
  {
    id: "same-epoch-past-a-dead-heir",
    rule: null,
    title: "a session is taken past a dead heir at the epoch that the heir may have acted at",
    breaks: ["I1", "I3"],
    edits: [
      { module: "core/ownership/drafts", find: "epoch: record.epoch + (pastDeadHeir ? 2 : 1),", replace: "epoch: record.epoch + 1," },
      {
        module: "core/ownership/drafts",
        find: "return { ...record, epoch: epoch + 2, owner: self, inSync: without(record.inSync, record.heir), heir: null };",
        replace: "return { ...record, epoch: epoch + 1, owner: self, inSync: without(record.inSync, record.heir), heir: null };",
      },
    ],
  },
  {
    id: "never-retried-take-back",
    rule: null,
    title: "the granter does not notice that its heir has died",
    breaks: ["I5", "liveness"],
    needs: [["crash", "crashPair", "crashAtStep"]],
    edits: [
      { module: "core/ownership/granted", find: "if (ref === this.#start.to) this.#takeBack();", replace: "" },
      { module: "core/ownership/granted", find: "if (this.#slot.host.isEnded(this.#start.to)) this.#takeBack();", replace: "" },
    ],
  },
  {
    id: "grant-sent-once",
    rule: null,
    title: "a GRANT that is lost is not sent again, and its heir has no deadline",
    breaks: ["I5", "liveness"],
    edits: [
      {
        module: "core/ownership/granted",
        find: "this.#pauseMs = Math.min(this.#pauseMs * 1.5, limits.grantResendMs * 20); this.#send();",
        replace: "",
      },
      { module: "core/ownership/granted", find: "if (ref === this.#start.to) this.#send();", replace: "" },
      {
        module: "core/ownership/standby",
        find: "const deadline = clock.schedule(limits.heirDeadlineMs, () => this.#decline(epoch));",
        replace: "const deadline = { cancel() {} };",
      },
    ],
  },
  {
    id: "move-never-ends",
    rule: null,
    title: "a move that its target refused is not reported to who asked for it",
    breaks: ["I5", "I6", "liveness"],
    edits: [
      {
        module: "core/ownership/move-out",
        find: "this.#owner.moveEnded(this); this.#callbacks.failed(code, message);",
        replace: "this.#owner.moveEnded(this);",
      },
    ],
  },
  {
    id: "shared-outcome",
    rule: null,
    title: "one session that cannot move fails the others that are on their way",
    breaks: ["I5"],
    needs: ["batch"],
    edits: [
      {
        module: "node/host/mover",
        find: "this.#inFlight++; slot.move(",
        replace: "this.#inFlight++; (this.open ??= []).push(reject); slot.move(",
      },
      {
        module: "node/host/mover",
        find: "reject(new SojournError(code, message)); this.#next();",
        replace: "for (const one of this.open.splice(0)) one(new SojournError(code, message)); this.#next();",
      },
    ],
  },
];
