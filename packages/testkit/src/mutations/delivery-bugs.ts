import type { Mutant } from "./mutant.js";

/** Bugs of what passes between sessions and clients, on the nodes' side. */
export const deliveryBugs: readonly Mutant[] = [
  {
    id: "dedupe-forgotten-in-deltas",
    rule: null,
    title: "a standby that follows by deltas does not learn which inputs were handled",
    breaks: ["I2", "I4", "liveness"],
    edits: [{ module: "core/session/play", find: "link.lastIn = seq;", replace: "if (playing.touched !== null) link.lastIn = seq;" }],
  },
  {
    id: "dedupe-forgotten-in-snapshots",
    rule: null,
    title: "a snapshot says that one input less was handled",
    breaks: ["I2", "I4", "I8", "liveness"],
    edits: [
      {
        module: "core/session/snapshot",
        find: "link.confirmed, link.lastIn, link.lastInVersion,",
        replace: "link.confirmed, Math.max(0, link.lastIn - 1), link.lastInVersion,",
      },
    ],
  },
  {
    id: "acknowledged-before-released",
    rule: null,
    title: "an input is acknowledged when it was handled, before the turn is released",
    breaks: ["I2", "I4", "liveness"],
    edits: [
      { module: "core/ownership/release", find: "seq: cursor.ackedIn }), false);", replace: "seq: link.lastIn }), false);" },
      {
        module: "core/ownership/owner",
        find: "for (const gone of result.closed)",
        replace: "for (const link of result.touched) this.#releaser.acknowledgeAgain(link); for (const gone of result.closed)",
      },
    ],
  },
  {
    id: "trimmed-too-early",
    rule: null,
    title: "the outbox is trimmed to what was sent instead of what the client confirmed",
    breaks: ["I4", "liveness"],
    edits: [
      { module: "core/session/link-table", find: "let changed = link.trim(seq);", replace: "let changed = link.trim(link.nextOut - 1);" },
    ],
  },
  {
    id: "outbox-left-behind",
    rule: null,
    title: "a snapshot does not carry what clients have not confirmed",
    breaks: ["I4", "I8", "liveness"],
    edits: [
      {
        module: "core/session/snapshot",
        find: "link.nextOut = nextOut - outbox.length; for (const at of outbox) {",
        replace: "link.nextOut = nextOut; for (const at of []) {",
      },
    ],
  },
  {
    id: "old-socket-detaches",
    rule: null,
    title: "a detach of an earlier socket takes the link from the present one",
    breaks: ["I4", "liveness"],
    needs: ["walled", ["reordering", "replay"], ["socketCut", "socketHalfOpen"]],
    edits: [
      {
        module: "core/session/plan-turn",
        find: 'if (link === undefined || link.generation !== input.generation || link.ingress === null) return noTurn(body, "ignored");',
        replace: 'if (link === undefined || link.ingress === null) return noTurn(body, "ignored");',
      },
    ],
  },
  {
    id: "lost-session-hidden",
    rule: null,
    title: "a session that was lost goes on with its clients as if nothing had happened",
    breaks: ["I2", "I4"],
    edits: [
      {
        module: "core/session/plan-turn",
        find: "reason: present !== null && !gone ? anew : known ? unknown : null,",
        replace: "reason: null,",
      },
    ],
  },
  {
    id: "welcomed-before-released",
    rule: null,
    title: "a client is welcomed before the turn that attached it is released",
    breaks: ["I2", "I4"],
    needs: [["crash", "crashPair", "crashAtStep"]],
    edits: [
      {
        module: "core/ownership/owner",
        find: "this.#releaser.hold(result, attach === null || result.attach === null ? null : this.#welcome(attach, result.attach));",
        replace:
          "this.#releaser.hold(result, null); if (attach !== null && result.attach !== null) this.#welcome(attach, result.attach)();",
      },
    ],
  },
  {
    id: "token-not-replicated",
    rule: null,
    title: "standbys keep the token that a link was made with",
    breaks: ["I4", "I8", "liveness"],
    edits: [
      {
        module: "core/session/play",
        find: "link.attach(ops[at + 1], ops[at + 2], ops[at + 3]);",
        replace:
          "if (playing.touched !== null) link.attach(ops[at + 1], ops[at + 2], ops[at + 3]); else link.attach(ops[at + 1], link.token, link.previousToken);",
      },
    ],
  },
  {
    id: "generation-not-replicated",
    rule: null,
    title: "standbys do not count the attaches of a link",
    breaks: ["I4", "I8", "liveness"],
    needs: ["copies"],
    edits: [
      {
        module: "core/session/play",
        find: "link.attach(ops[at + 1], ops[at + 2], ops[at + 3]);",
        replace: "link.attach(ops[at + 1], ops[at + 2], ops[at + 3]); if (playing.touched === null) link.generation--;",
      },
    ],
  },
  {
    id: "never-sent-again",
    rule: null,
    title: "an output that is lost between two nodes is not sent again",
    breaks: ["I4", "liveness"],
    needs: ["walled", "loss"],
    edits: [
      { module: "core/ownership/owner", find: "if (op.gap) this.#releaser.resend(link);", replace: "" },
      {
        module: "core/ownership/release",
        find: "if (this.#unconfirmed.get(link.id) === link.ackedOut) this.resend(link);",
        replace: "",
      },
    ],
  },
  {
    id: "nothing-resent-on-resume",
    rule: null,
    title: "a client that resumes gets only what is new",
    breaks: ["I4", "liveness"],
    edits: [
      {
        module: "core/ownership/release",
        find: "this.#cursors.set(id, { generation, ingress, sentOut: ackedOut, ackedIn: lastIn, toldIn: lastIn });",
        replace: "this.#cursors.set(id, { generation, ingress, sentOut: link.nextOut - 1, ackedIn: lastIn, toldIn: lastIn });",
      },
      { module: "core/ownership/owner", find: "if (op.gap) this.#releaser.resend(link);", replace: "" },
      {
        module: "core/ownership/release",
        find: "if (this.#unconfirmed.get(link.id) === link.ackedOut) this.resend(link);",
        replace: "",
      },
    ],
  },
  {
    id: "released-out-of-order",
    rule: null,
    title: "turns that were held are released from the last to the first, under new numbers",
    breaks: ["I4"],
    edits: [
      {
        module: "core/session/link-state",
        find: "this.outbox.push(new Entry(this.nextOut++, message));",
        replace:
          "const last = this.outbox.at(-1); if (last !== undefined && last.version !== message.version) { this.outbox.pop(); this.outbox.push(new Entry(last.seq, message), new Entry(this.nextOut++, last.message)); } else this.outbox.push(new Entry(this.nextOut++, message));",
      },
    ],
  },
  {
    id: "oldest-dropped",
    rule: null,
    title: "a full outbox drops its oldest message instead of ending the link",
    breaks: ["I4", "liveness"],
    edits: [
      {
        module: "core/session/link-state",
        find: "this.outbox.push(new Entry(this.nextOut++, message));",
        replace: "if (this.outbox.length >= 8) this.outbox.shift(); this.outbox.push(new Entry(this.nextOut++, message));",
      },
    ],
  },
  {
    id: "grace-not-stopped",
    rule: null,
    title: "a link that has come back expires when the grace of its earlier absence is over",
    breaks: ["I4", "liveness"],
    edits: [
      {
        module: "core/session/link-state",
        find: "this.confirmed = false; this.awaySinceMs = null;",
        replace: "this.confirmed = false;",
      },
    ],
  },
  {
    id: "end-not-recorded",
    rule: null,
    title: "a session that has ended stays in the record as if it ran",
    breaks: ["I5", "liveness"],
    edits: [
      {
        module: "core/ownership/drafts",
        find: "return { ...record, inSync: [], stored: false, ended: true };",
        replace: "return { ...record, inSync: [], stored: false };",
      },
    ],
  },
];
