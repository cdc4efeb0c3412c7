import type { Mutant } from "./mutant.js";

/** Bugs of moving a session and of taking one over. */
export const handoverBugs: readonly Mutant[] = [
  {
    id: "frozen-in-a-turn",
    rule: null,
    title: "the session is granted while a turn is still in hand",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [{ module: "core/ownership/turn-loop", find: "if (!this.#cell.busy && !this.#running) {", replace: "{" }],
  },
  {
    id: "runs-on-while-frozen",
    rule: null,
    title: "inputs are handled after the freeze",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [
      {
        module: "core/ownership/turn-loop",
        find: "this.#queue.length > 0 && this.#frozen === null &&",
        replace: "this.#queue.length > 0 &&",
      },
    ],
  },
  {
    id: "aborted-turn-stays",
    rule: null,
    title: "a turn that is rolled back at the drain deadline keeps what it changed",
    breaks: ["I2", "I4", "I8"],
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
    title: "one session of a batch that cannot move fails the others too",
    breaks: ["I5"],
    edits: [
      {
        module: "node/host/mover",
        find: "return { session, moved: true, report: await this.move(session, to) };",
        replace:
          "const report = await this.move(session, to); if (this.sharedFailure !== undefined) return { session, moved: false, error: this.sharedFailure }; return { session, moved: true, report };",
      },
      { module: "node/host/mover", find: "catch (error) { return {", replace: "catch (error) { this.sharedFailure = error; return {" },
    ],
  },
];
