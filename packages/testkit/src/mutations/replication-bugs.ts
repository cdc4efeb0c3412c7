import type { Mutant } from "./mutant.js";

/** Bugs of keeping copies. */
export const replicationBugs: readonly Mutant[] = [
  {
    id: "acknowledged-before-applied",
    rule: null,
    title: "a standby acknowledges deltas that it could not apply",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [
      {
        module: "core/ownership/standby",
        find: 'this.#ack(from, message.epoch, want); } catch (error) { this.#refuse(from, message.epoch, error, "deltas"); }',
        replace:
          'this.#slot.host.send(from, "control", { t: "ack", session: this.#slot.key, epoch: message.epoch, version: message.fromVersion + message.deltas.length, hash: message.hash, want: "nothing" }); } catch (error) { this.#refuse(from, message.epoch, error, "deltas"); }',
      },
    ],
  },
  {
    id: "dropped-before-the-record",
    rule: null,
    title: "a standby is not waited for any more before the record has dropped it",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [
      {
        module: "core/ownership/owner",
        find: "cas.submit((record) => (record === null ? null : leave(record, host.self, this.#epoch, refs)),",
        replace:
          "for (const ref of refs) this.dropFeed(ref); cas.submit((record) => (record === null ? null : leave(record, host.self, this.#epoch, refs)),",
      },
    ],
  },
  {
    id: "old-drop-counts",
    rule: null,
    title: "a DROP that is older than a later offer is obeyed, and the copy is not made again",
    breaks: ["I2", "I5", "liveness"],
    edits: [
      {
        module: "core/ownership/standby",
        find: "if (this.#lastOffer?.from === from && this.#lastOffer.attempt > message.serial) return;",
        replace: "",
      },
      {
        module: "core/ownership/slot",
        find: "else this.#verifyAbsence(from, message);",
        replace: "",
      },
    ],
  },
  {
    id: "fence-after-read",
    rule: null,
    title: "a write that met a newer record is sent again on top of it, as it was",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    edits: [
      {
        module: "core/ownership/cas-driver",
        find: "this.#hear(outcome.current); // Refused for good, also an earlier sending of it: its revision is used up. If that one was applied and others wrote on // top of it since, the change is judged anew from what stands now. this.#attempt(pending, true);",
        replace: "this.#hear(outcome.current); this.#write(pending, outcome.current?.revision ?? 0, draft);",
      },
    ],
  },
  {
    id: "own-write-not-known",
    rule: null,
    title: "a writer whose answer was lost does not recognise its own write",
    breaks: ["I5", "liveness"],
    edits: [{ module: "core/ownership/cas-driver", find: "if (outcome.current?.writer === draft.writer)", replace: "if (false)" }],
  },
  {
    id: "snapshot-in-a-turn",
    rule: null,
    title: "a base is taken while a turn is in hand",
    breaks: ["I2", "I8"],
    needs: ["io"],
    edits: [
      { module: "core/ownership/feed", find: "if (source.busy) return; // onQuiet calls again const copy", replace: "const copy" },
      { module: "core/session/session", find: 'this.#refuseWhenBusy("snapshot");', replace: "" },
      { module: "core/session/session", find: 'this.#refuseWhenBusy("copyLive");', replace: "" },
    ],
  },
  {
    id: "write-during-copy-unseen",
    rule: null,
    title: "what a turn writes to a large array while it is copied is not read again",
    breaks: ["I8"],
    needs: ["large"],
    edits: [{ module: "core/session/live-copy", find: "this.again(number, fromByte, toByte - fromByte);", replace: "return;" }],
  },
  {
    id: "base-before-its-pieces",
    rule: null,
    title: "a snapshot is taken although pieces of its large arrays are missing",
    breaks: ["I8"],
    needs: ["large"],
    edits: [
      {
        module: "core/ownership/copy-receiver",
        find: "if (copy !== 0 && (arriving?.copy !== copy || arriving.epoch !== epoch || !hasAll(arriving, message)))",
        replace: "if (copy !== 0 && (arriving?.copy !== copy || arriving.epoch !== epoch))",
      },
    ],
  },
  {
    id: "delta-out-of-order",
    rule: null,
    title: "deltas are applied wherever they come in",
    breaks: ["I2", "I3", "I8", "liveness"],
    edits: [
      { module: "core/ownership/standby", find: 'if (known < 0) return "deltas"; if (known > deltas.length) return "base";', replace: "" },
      { module: "core/ownership/standby", find: 'if (hash !== replica.hash) return "base";', replace: "" },
      {
        module: "core/ownership/standby",
        find: "for (let i = known; i < deltas.length; i++) {",
        replace: "for (let i = 0; i < deltas.length; i++) {",
      },
      { module: "core/session/delta", find: "if (ops[0] !== body.version + 1) {", replace: "if (false) {" },
    ],
  },
  {
    id: "delta-applied-twice",
    rule: null,
    title: "a delta that comes again is applied again",
    breaks: ["I2", "I3", "I8", "liveness"],
    edits: [
      {
        module: "core/ownership/standby",
        find: "for (let i = known; i < deltas.length; i++) {",
        replace: "for (let i = Math.max(0, known - 1); i < deltas.length; i++) {",
      },
      { module: "core/session/delta", find: "if (ops[0] !== body.version + 1) {", replace: "if (false) {" },
    ],
  },
  {
    id: "feed-never-resends",
    rule: null,
    title: "a delta that is lost on its way is not sent again",
    breaks: ["I5", "liveness"],
    edits: [
      { module: "core/ownership/feed", find: "MAX_PATIENCE); this.#sendAgain();", replace: "MAX_PATIENCE);" },
      { module: "core/ownership/feed", find: 'else if (message.want === "deltas") { this.#sent = message.version; }', replace: "" },
    ],
  },
  {
    id: "living-copy-forgotten",
    rule: null,
    title: "a session starts anew although a node that holds it lives",
    breaks: ["I2", "I4", "liveness"],
    needs: ["copies", ["crash", "crashPair", "crashAtStep"]],
    edits: [
      { module: "core/ownership/drafts", find: "isEnded(owner) && inSync.every((ref) => isEnded(ref)) &&", replace: "isEnded(owner) &&" },
    ],
  },
];
