import type { Mutant } from "./mutant.js";

/** Bugs of taking a session over before its owner's lease has ended. */
export const suspicionBugs: readonly Mutant[] = [
  {
    id: "suspicion-past-an-heir",
    rule: 8,
    title: "a copy takes a suspected owner's session although an heir is recorded",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "if (record.heir !== null || !record.inSync.includes(self)) return null; const inSync = record.inSync.filter((ref) => ref !== self && !isLost(ref)); return { ...record, epoch: record.epoch + 1, owner: self, inSync };",
        replace:
          "if (!record.inSync.includes(self)) return null; const inSync = record.inSync.filter((ref) => ref !== self && !isLost(ref)); return { ...record, epoch: record.epoch + 1, owner: self, inSync, heir: null };",
      },
      {
        module: "core/ownership/standby",
        find: "if (owner === host.self || heir !== null || !inSync.includes(host.self)) return false;",
        replace: "if (owner === host.self || heir === host.self || !inSync.includes(host.self)) return false;",
      },
    ],
  },
  {
    id: "suspicion-without-a-fence",
    rule: 9,
    title: "a copy that takes a suspected owner's session goes on in the same epoch",
    breaks: ["I1", "I2", "I3", "I4", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "!isLost(ref)); return { ...record, epoch: record.epoch + 1, owner: self, inSync };",
        replace: "!isLost(ref)); return { ...record, owner: self, inSync };",
      },
    ],
  },
  {
    id: "suspicion-by-any-copy",
    rule: 8,
    title: "a copy that the record does not name takes a suspected owner's session",
    breaks: ["I2", "I3", "I4", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "if (record.heir !== null || !record.inSync.includes(self)) return null; const inSync",
        replace: "if (record.heir !== null) return null; const inSync",
      },
      {
        module: "core/ownership/standby",
        find: "if (owner === host.self || heir !== null || !inSync.includes(host.self)) return false;",
        replace: "if (owner === host.self || heir !== null) return false;",
      },
    ],
  },
  {
    id: "suspected-is-not-waited-for",
    rule: 3,
    title: "an owner does not wait any more for a copy that it suspects, before the record has dropped it",
    breaks: ["I2", "I3", "I4", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      {
        module: "core/ownership/standby-keeper",
        find: "this.#owner.dropStandbys([ref]); else this.check();",
        replace: "this.#owner.dropFeed(ref); else this.check();",
      },
    ],
  },
  {
    id: "newer-record-unheard",
    rule: null,
    title: "an owner whose write meets a newer record does not look what that says",
    breaks: ["I1", "I2", "I4", "I5", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      {
        module: "core/ownership/cas-driver",
        find: "if (this.learn(record) && record !== null)",
        replace: "if (this.learn(record) && record === undefined)",
      },
    ],
  },
  {
    id: "branch-not-compared",
    rule: null,
    title: "an owner that was succeeded on suspicion keeps turns that nobody saw, and takes deltas of its successor on top of them",
    breaks: ["I2", "I3", "I4", "I8", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      { module: "core/ownership/standby", find: 'if (known > deltas.length) return "base";', replace: "" },
      { module: "core/ownership/standby", find: 'if (hash !== replica.hash) return "base";', replace: "" },
      {
        module: "core/ownership/standby",
        find: "if (replica !== null && replica.version === message.version && replica.hash === message.hash) {",
        replace: "if (replica !== null && replica.version === message.version) {",
      },
      { module: "core/ownership/feed", find: "return message.hash === source.hash;", replace: "return true;" },
      {
        module: "core/ownership/feed",
        find: "if (source.log.since(message.version)?.hash === message.hash) return true;",
        replace: "if (source.log.since(message.version) !== null) return true;",
      },
    ],
  },
  {
    id: "granter-suspects",
    rule: 7,
    title: "a granter that suspects its heir takes the session back while the heir lives",
    breaks: ["I1", "I2", "I4", "I5", "liveness"],
    needs: ["suspicion", "copies"],
    edits: [
      {
        module: "core/ownership/granted",
        find: "onSuspected(_ref) {",
        replace: 'onSuspected(_ref) { if (_ref === this.#start.to && this.#slot.host.suspicionOf(_ref) !== "none") this.#takeBack();',
      },
    ],
  },
];
