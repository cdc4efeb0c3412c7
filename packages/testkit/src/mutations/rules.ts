import type { Mutant } from "./mutant.js";

/** The rules of PROTOCOL.md, each taken away. */
export const brokenRules: readonly Mutant[] = [
  {
    id: "lease-unchecked",
    rule: 1,
    title: "a node acts although its lease may have ended",
    breaks: ["I1", "I2", "I3"],
    edits: [
      {
        module: "node/host/membership",
        find: "return this.#lease?.valid() ?? false;",
        replace: "return !this.#over && this.#lease !== null;",
      },
    ],
  },
  {
    id: "grant-without-record",
    rule: 1,
    title: "a node takes a GRANT that the record does not name it heir for",
    breaks: ["I1", "I2", "I3", "I5"],
    needs: ["copies"],
    edits: [
      {
        module: "core/ownership/standby",
        find: "if (record.epoch !== epoch || record.heir !== host.self || record.owner !== from) {",
        replace: "if (false) {",
      },
      {
        module: "core/ownership/standby",
        find: 'if (message.epoch < fence && message.t !== "cancel") {',
        replace: 'if (message.epoch < fence && message.t !== "cancel" && message.t !== "grant") {',
      },
    ],
  },
  {
    id: "join-before-copy",
    rule: 2,
    title: "a standby is recorded as in-sync before its base has arrived",
    breaks: ["I2", "I5", "liveness"],
    needs: ["copies"],
    edits: [
      { module: "core/ownership/recruit", find: "|| !phase.feed.following)", replace: ")" },
      { module: "core/ownership/recruit", find: "if (phase.feed.acked < phase.waitedAt) return;", replace: "" },
    ],
  },
  {
    id: "join-not-waited-for",
    rule: 2,
    title: "a standby is recorded as in-sync, but releases do not wait for it",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [{ module: "core/ownership/recruit", find: "phase.feed.waited = true;", replace: "" }],
  },
  {
    id: "slow-is-gone",
    rule: 3,
    title: "a standby that does not acknowledge in time is not waited for any more, while the record still names it",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [
      {
        module: "core/ownership/feed",
        find: "const now = this.#phase;",
        replace: "if (this.waited) { this.waited = false; this.#source.onAcked(this); } const now = this.#phase;",
      },
    ],
  },
  {
    id: "unknown-is-failed",
    rule: 3,
    title: "a write whose answer was lost counts as not carried out",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    edits: [
      {
        module: "core/ownership/cas-driver",
        find: "this.#backoff.failed(() => this.#write(pending, expected, draft));",
        replace: 'this.#finish({ outcome: "void", record: this.#record });',
      },
    ],
  },
  {
    id: "grant-before-prepare",
    rule: 4,
    title: "the session is granted to a heir that was never recorded",
    breaks: ["I1", "I2", "I3", "I5", "liveness"],
    edits: [
      { module: "core/ownership/move-out", find: 'this.#phase = { name: "preparing" }; const', replace: "this.#drain(); return; const" },
      { module: "core/ownership/move-out", find: "|| record.heir !== this.target || cell.ended", replace: "|| cell.ended" },
      {
        module: "core/ownership/standby",
        find: "if (record.epoch !== epoch || record.heir !== host.self || record.owner !== from) {",
        replace: "if (record.epoch !== epoch || record.owner !== from) {",
      },
    ],
  },
  {
    id: "granter-goes-on",
    rule: 5,
    title: "the old owner goes on by itself when its GRANT is not answered",
    breaks: ["I1", "I2", "I3", "I4", "liveness"],
    needs: ["copies"],
    edits: [
      {
        module: "core/ownership/granted",
        find: "this.#pauseMs = Math.min(this.#pauseMs * 1.5, limits.grantResendMs * 20);",
        replace:
          "this.#pauseMs *= 1.5; if (this.#pauseMs > 300 && this.#slot.cas.record !== null) { this.#resume(this.#slot.cas.record); return; }",
      },
    ],
  },
  {
    id: "grant-without-last-deltas",
    rule: 5,
    title: "the heir takes a GRANT that does not extend its copy, which a late base may have set back",
    breaks: ["I2", "I3", "I4", "liveness"],
    needs: ["copies", ["duplication", "replay", "reordering"]],
    edits: [
      { module: "core/ownership/move-out", find: "deltas: since.deltas,", replace: "deltas: []," },
      {
        module: "core/ownership/standby",
        find: "if (replica !== null && replica.epoch === message.epoch && replica.version > message.version) {",
        replace: "if (false) {",
      },
      {
        module: "core/ownership/standby",
        find: 'if (want !== "nothing" || replica.version !== message.version || replica.hash !== message.hash) {',
        replace: "if (false) {",
      },
    ],
  },
  {
    id: "granter-not-waited-for",
    rule: 6,
    title: "the new owner does not wait for the granter, which the record names",
    breaks: ["I2", "I3", "I4", "liveness"],
    edits: [{ module: "core/ownership/move-out", find: "const waitedFor = [slot.host.self];", replace: "const waitedFor = [];" }],
  },
  {
    id: "decline-without-promise",
    rule: 7,
    title: "a heir that is declining still takes a GRANT that comes late",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    needs: ["copies"],
    edits: [
      { module: "core/ownership/standby", find: 'if (this.#heir.name === "declining" && this.#heir.epoch === epoch) return;', replace: "" },
    ],
  },
  {
    id: "granter-cancels",
    rule: 7,
    title: "the granter takes the session back while its heir lives",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    needs: ["copies"],
    edits: [
      {
        module: "core/ownership/granted",
        find: "this.#pauseMs = Math.min(this.#pauseMs * 1.5, limits.grantResendMs * 20);",
        replace: "this.#pauseMs *= 1.5; if (this.#pauseMs > 300) this.#takeBack();",
      },
    ],
  },
  {
    id: "heir-unaware",
    rule: 7,
    title: "the heir does not learn its role from the directory and never declines",
    breaks: ["I5", "liveness"],
    needs: ["copies", ["cutOne", "cutMinority", "cutMajority", "cutRing", "cutOneWay", "cutFlapping"]],
    edits: [
      {
        module: "core/ownership/standby",
        find: "if (record.heir === host.self) { this.#beHeir(record); }",
        replace: "if (record.heir === host.self) { }",
      },
    ],
  },
  {
    id: "any-copy-is-promoted",
    rule: 8,
    title: "a copy that the record does not name takes a dead owner's session",
    breaks: ["I2", "I3", "I4", "liveness"],
    needs: ["copies", ["crash", "crashPair", "crashAtStep"]],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "|| !record.inSync.includes(self)) return null; if (record.heir !== null",
        replace: ") return null; if (record.heir !== null",
      },
    ],
  },
  {
    id: "promoted-before-the-end",
    rule: 8,
    title: "a standby that loses its connection to the owner takes the session, and the owner goes on",
    breaks: ["I1", "I2", "I3", "I4"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "if (record.ended || !isEnded(record.owner) || !record.inSync.includes(self)) return null;",
        replace: "if (record.ended || !record.inSync.includes(self)) return null;",
      },
      {
        module: "core/ownership/standby",
        find: "if (host.isEnded(record.owner)) { this.#takeOver(",
        replace: "if (host.isEnded(record.owner) || (record.owner !== host.self && !host.isUp(record.owner))) { this.#takeOver(",
      },
      { module: "core/ownership/owner", find: "else if (record.owner !== host.self) { this.#stepDown(record); }", replace: "" },
    ],
  },
  {
    id: "no-fences",
    rule: 9,
    title: "nobody refuses what comes from an older epoch",
    breaks: ["I1", "I2", "I3", "I4", "I5", "liveness"],
    edits: [
      { module: "core/ownership/standby", find: 'if (message.epoch < fence && message.t !== "cancel") {', replace: "if (false) {" },
      { module: "core/ownership/slot", find: "if (epoch > this.#fence) this.#fence = epoch;", replace: "this.#fence = epoch;" },
      { module: "node/host/routes", find: "if (epoch < this.fence(session)) return false;", replace: "" },
      { module: "client/link", find: "if (epoch < this.#epoch) return false;", replace: "" },
    ],
  },
  {
    id: "renewal-counted-from-the-answer",
    rule: 10,
    title: "a lease counts from the moment at which the answer to its renewal came",
    breaks: ["I1", "I2"],
    needs: ["directorySlow", ["pause", "directoryUnreachable"]],
    edits: [
      {
        module: "node/lease/renewal-loop",
        find: "book.extend(sentAtMs + ttlMs * SAFE_SHARE);",
        replace: "book.extend(clock.now() + ttlMs * SAFE_SHARE);",
      },
    ],
  },
  {
    id: "ended-comes-back",
    rule: 10,
    title: "a lease that has ended is renewed, and its node goes on with the roles it had",
    breaks: ["I1", "I2", "I3"],
    needs: ["pause"],
    edits: [
      {
        module: "core/directory/node-leases",
        find: 'if (expiry === undefined || lease === undefined) return "ended";',
        replace:
          'if (lease === undefined) return "ended"; if (expiry === undefined) { this.#expiry.set(ref, nowMs + lease.ttlMs); return "renewed"; }',
      },
      { module: "node/host/membership", find: "(ref === this.#self && entry.ended)", replace: "false" },
    ],
  },
  {
    id: "input-handled-twice",
    rule: 11,
    title: "an input that comes again is handled again",
    breaks: ["I2", "I4"],
    edits: [
      { module: "core/session/plan-turn", find: 'if (input.seq <= link.lastIn) return noTurn(body, "duplicate", [link]);', replace: "" },
      { module: "core/session/plan-turn", find: "if (input.seq !== link.lastIn + 1)", replace: "if (input.seq > link.lastIn + 1)" },
    ],
  },
  {
    id: "attempt-ignored",
    rule: 11,
    title: "TAKEN and ACCEPT of an earlier attempt count for the present one",
    breaks: ["I1", "I2", "I4", "I5", "liveness"],
    needs: ["copies", "oldAnswer"],
    edits: [
      {
        module: "core/ownership/granted",
        find: "if (from === to && message.epoch === grant.epoch && message.attempt === grant.attempt)",
        replace: "if (from === to)",
      },
      { module: "core/ownership/recruit", find: "|| message.attempt !== this.attempt ||", replace: "||" },
    ],
  },
  {
    id: "released-at-once",
    rule: 12,
    title: "what a turn produced leaves before anybody has acknowledged the turn",
    breaks: ["I2", "I4", "liveness"],
    edits: [{ module: "core/ownership/owner", find: "if (feed.acked < upTo) upTo = feed.acked;", replace: "" }],
  },
  {
    id: "timer-as-deadline",
    rule: 13,
    title: "a timer travels with its deadline on the sender's clock instead of the time that remains",
    breaks: ["I7"],
    needs: ["timers"],
    edits: [
      {
        module: "core/session/delta",
        find: "ops.push(OP.timer, name, Math.max(0, timer.dueMs - nowMs), timer.everyMs);",
        replace: "ops.push(OP.timer, name, timer.dueMs, timer.everyMs);",
      },
      { module: "core/session/delta", find: "dueMs: nowMs + ops[at + 2],", replace: "dueMs: ops[at + 2]," },
      { module: "core/session/snapshot", find: "Math.max(0, dueMs - nowMs), everyMs]", replace: "dueMs, everyMs]" },
      { module: "core/session/snapshot", find: "dueMs: nowMs + timer.num(),", replace: "dueMs: timer.num()," },
    ],
  },
  {
    id: "no-checksums",
    rule: 14,
    title: "checksums of messages and snapshots are not verified",
    breaks: ["I2", "I4", "I8", "liveness"],
    needs: ["corruption"],
    edits: [
      { module: "core/wire/peer-messages", find: "if (trailer.u32() !== crc32(body))", replace: "if (false)" },
      { module: "core/ownership/base-assembly", find: "if (crc32(this.#bytes) !== this.#crc)", replace: "if (false)" },
    ],
  },
  {
    id: "room-kept",
    rule: 15,
    title: "room that was reserved for an offer is never given back",
    breaks: ["I6"],
    edits: [{ module: "core/ownership/standby", find: "this.#slot.host.releaseRoom(this.#slot.key);", replace: "" }],
  },
  {
    id: "copy-kept",
    rule: 15,
    title: "a copy that nobody names has no deadline",
    breaks: ["I6"],
    edits: [
      {
        module: "core/ownership/standby",
        find: "this.#named() ? null : clock.schedule(limits.replicaRetentionMs, () => this.#askToLeave());",
        replace: "null;",
      },
      {
        module: "core/ownership/owner",
        find: 'host.send(ref, "control", { t: "drop", session: key, epoch: this.#epoch, serial: host.nextRequest() });',
        replace: "",
      },
    ],
  },
];
