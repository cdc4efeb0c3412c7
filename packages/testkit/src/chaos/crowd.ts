import { type DurationSummary, Durations } from "../books/durations.js";
import { inTime } from "../books/in-time.js";
import type { Participant, Workload } from "./participant.js";

const JOINING_AT_ONCE = 10;
/** A client with so many messages without an answer waits. */
const MAX_OPEN = 64;
/** A pause between two answers that a client counts as an outage. */
const OUTAGE_MS = 200;
const AUDIT_MS = 60_000;
const TICK_MS = 10;

/** How the clients fared. */
export interface CrowdResult {
  /** Sent by clients and by sessions. */
  readonly messages: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly audited: number;
  readonly faults: readonly string[];
}

interface Member {
  readonly participant: Participant;
  /** When the client last had no reason to wait: its last answer, or when it began to wait. */
  sinceMs: number;
  nextAtMs: number;
}

/** Counts pauses between a client's answers. */
class Outages {
  readonly #durations = new Durations();

  /** @param sinceMs the answer before, or when waiting began */
  answered(sinceMs: number, nowMs: number): void {
    if (nowMs - sinceMs >= OUTAGE_MS) this.#durations.record(nowMs - sinceMs);
  }
  summary(): DurationSummary {
    return this.#durations.summary();
  }
}

/** The clients of a run: they talk at an even pace, and what they miss is counted. */
export class Crowd {
  readonly #workload: Workload;
  readonly #everyMs: number;
  readonly #members: Member[] = [];
  readonly #outages = new Outages();
  readonly #troubles: string[] = [];
  readonly #onTrouble: (what: string) => void;
  #timer: NodeJS.Timeout | null = null;
  #finished = false;

  constructor(workload: Workload, everyMs: number, onTrouble: (what: string) => void) {
    this.#workload = workload;
    this.#everyMs = everyMs;
    this.#onTrouble = onTrouble;
  }

  /** @throws what a client could not join for */
  async join(count: number, endpoints: readonly string[]): Promise<void> {
    const limits = {
      clientHeartbeatMs: 500,
      reconnectMaxMs: 500,
      attemptTimeoutMs: 2_000,
      callTimeoutMs: 600_000,
      connectTimeoutMs: 60_000,
    };
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < count) {
        const number = next++;
        let member: Member | null = null;
        // Each begins at another node.
        const at = number % endpoints.length;
        const participant = await this.#workload.join({
          number,
          endpoints: [...endpoints.slice(at), ...endpoints.slice(0, at)],
          limits,
          answered: () => member !== null && this.#answered(member),
          trouble: (what) => {
            if (this.#finished) return;
            this.#troubles.push(`client ${number}: ${what}`);
            this.#onTrouble(`client ${number}: ${what}`);
          },
        });
        member = { participant, sinceMs: 0, nextAtMs: 0 };
        this.#members.push(member);
      }
    };
    await Promise.all(Array.from({ length: JOINING_AT_ONCE }, worker));
  }

  talk(): void {
    const nowMs = performance.now();
    this.#members.forEach((member, i) => {
      member.nextAtMs = nowMs + (this.#everyMs * i) / this.#members.length;
    });
    this.#timer = setInterval(() => this.#sayDue(), TICK_MS);
  }

  outages(): DurationSummary {
    return this.#outages.summary();
  }

  /** Sends no more, and audits every session. */
  async finish(): Promise<CrowdResult> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const faults = [...this.#troubles];
    const sum = { messages: 0, lost: 0, doubled: 0, reordered: 0, audited: 0 };
    await Promise.all(
      this.#members.map(async ({ participant }) => {
        let counts = participant.unaudited();
        try {
          for (const fault of await inTime(participant.audit(), AUDIT_MS)) faults.push(`${participant.session}: ${fault}`);
          counts = participant.counts();
          sum.audited++;
        } catch (error) {
          counts = participant.unaudited();
          faults.push(`${participant.session}: no audit: ${String(error)}`);
        }
        sum.messages += counts.sent + counts.events;
        sum.lost += counts.lost;
        sum.doubled += counts.doubled;
        sum.reordered += counts.reordered;
      }),
    );
    return { ...sum, faults };
  }

  close(): void {
    this.#finished = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { participant } of this.#members) participant.close();
  }

  #sayDue(): void {
    const nowMs = performance.now();
    for (const member of this.#members) {
      if (member.nextAtMs > nowMs) continue;
      member.nextAtMs = Math.max(member.nextAtMs + this.#everyMs, nowMs - this.#everyMs);
      const { participant } = member;
      if (participant.open >= MAX_OPEN) continue;
      if (participant.open === 0) member.sinceMs = nowMs;
      participant.say();
    }
  }

  #answered(member: Member): void {
    const nowMs = performance.now();
    this.#outages.answered(member.sinceMs, nowMs);
    member.sinceMs = nowMs;
  }
}
