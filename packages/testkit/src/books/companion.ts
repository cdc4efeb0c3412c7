import { errorCodeOf } from "@sojourn/core";
import { lostOf, newTally, observe, type Tally } from "./tally.js";

/** What the session says of the reports that it has seen. */
export interface ReportReply {
  readonly n: number;
  readonly missing: number;
  readonly doubled: number;
  readonly reordered: number;
}

/** The session's books at the end. */
export interface Audit {
  readonly reports: Readonly<Omit<Tally, "missing">> & { readonly missing: readonly number[] };
  /** Checksum over all reports in order; would show a turn that was lost from the state, or applied twice. */
  readonly sum: number;
  /** Events sent so far; each carries its number. */
  readonly newsSent: number;
}

/** The calls that a companion makes: numbered reports with something in them, and an audit at the end. */
export interface CompanionCalls<Content extends object> {
  report(report: Content & { readonly n: number }): Promise<ReportReply>;
  audit(): Promise<Audit>;
}

/** What a companion runs on. */
export interface CompanionOptions<Content extends object> {
  readonly calls: CompanionCalls<Content>;
  /** The checksum after one more report; the session does the same. */
  readonly mix: (sum: number, report: Content & { readonly n: number }) => number;
  readonly now: () => number;
  readonly onReply: (afterMs: number) => void;
  readonly onFailure: (code: string) => void;
}

/** What one client counts against what it sent. */
export interface CompanionCounts {
  readonly sent: number;
  readonly replies: number;
  readonly events: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

interface Books {
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
}

/**
 * One user's end of its session: sends numbered reports and keeps the books of everything that comes back. Reads no clock and knows
 * no socket, so that a test can lose, double and reorder what it likes.
 */
export class Companion<Content extends object> {
  readonly #options: CompanionOptions<Content>;
  readonly #replies = newTally();
  readonly #events = newTally();
  readonly #underWay = new Set<Promise<void>>();
  #sent = 0;
  #replied = 0;
  #received = 0;
  #sum = 0;
  /** The session's own view of the reports, from its latest reply. */
  #atSession: Books = { lost: 0, doubled: 0, reordered: 0 };
  /** Known from the audit on. */
  #newsSent: number | null = null;

  constructor(options: CompanionOptions<Content>) {
    this.#options = options;
  }

  /** Sends one report. The answer is taken in whenever it comes. */
  report(content: Content): void {
    const { calls, mix, now, onReply, onFailure } = this.#options;
    const report = { ...content, n: ++this.#sent };
    this.#sum = mix(this.#sum, report);
    const sentAtMs = now();
    const asked = calls.report(report).then(
      (reply) => {
        this.#replied++;
        observe(this.#replies, reply.n);
        this.#atSession = { lost: reply.missing, doubled: reply.doubled, reordered: reply.reordered };
        onReply(now() - sentAtMs);
      },
      (error: unknown) => onFailure(errorCodeOf(error)),
    );
    this.#underWay.add(asked);
    void asked.then(() => this.#underWay.delete(asked));
  }

  /** The session has sent its event number `k`. */
  news(k: number): void {
    this.#received++;
    observe(this.#events, k);
  }

  /** What is known so far. Before the audit, reports that wait for their answer do not count as lost. */
  counts(): CompanionCounts {
    const events = this.#newsSent ?? this.#events.next - 1;
    return {
      sent: this.#sent,
      replies: this.#replied,
      events,
      lost: this.#atSession.lost + lostOf(this.#replies, this.#newsSent === null ? 0 : this.#sent) + lostOf(this.#events, events),
      doubled: this.#atSession.doubled + this.#replies.doubled + this.#events.doubled,
      reordered: this.#atSession.reordered + this.#replies.reordered + this.#events.reordered,
    };
  }

  /**
   * Waits for every answer under way and compares the session's books with its own. Returns what does not agree; afterwards `counts`
   * is final.
   * @throws what the audit call failed with
   */
  async audit(): Promise<readonly string[]> {
    await Promise.all(this.#underWay);
    const { reports, sum, newsSent } = await this.#options.calls.audit();
    this.#newsSent = newsSent;
    this.#atSession = { lost: lostOf(reports, this.#sent), doubled: reports.doubled, reordered: reports.reordered };
    const { lost, doubled, reordered } = this.#atSession;
    const faults: string[] = [];
    const unanswered = lostOf(this.#replies, this.#sent);
    if (lost > 0) faults.push(`the session lacks ${lost} of ${this.#sent} reports`);
    if (unanswered > 0) faults.push(`${unanswered} of ${this.#sent} reports have no answer`);
    if (reports.next > this.#sent + 1) faults.push(`the session has seen report ${reports.next - 1}, but only ${this.#sent} were sent`);
    if (doubled + reordered > 0) faults.push(`the session has seen ${doubled} reports twice and ${reordered} too late`);
    if (this.#received !== newsSent) faults.push(`${this.#received} events arrived, the session has sent ${newsSent}`);
    if (sum !== this.#sum && lost + doubled + reordered === 0) faults.push("the session's state is not what the reports make of it");
    return faults;
  }

  /** Reports whose answer has not come. */
  get open(): number {
    return this.#underWay.size;
  }

  /** Takes every report without an answer as lost, for when an audit is not possible. */
  unaudited(): CompanionCounts {
    const counts = this.counts();
    return { ...counts, lost: counts.lost + (this.#sent + 1 - this.#replies.next) };
  }
}
