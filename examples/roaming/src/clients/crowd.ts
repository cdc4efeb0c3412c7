import { connect, type SessionClient } from "@sojourn/client/node";
import { errorCodeOf, type SojournError } from "@sojourn/core";
import { Companion, Durations, inTime } from "@sojourn/testkit/books";
import { chained } from "../session/checksum.js";
import type { traveller } from "../session/traveller.js";
import type { Counts, CrowdConfig, FromCrowd } from "./messages.js";

type Client = SessionClient<typeof traveller>;

interface Position {
  readonly lat: number;
  readonly lon: number;
}

interface Member {
  readonly user: number;
  readonly client: Client;
  readonly companion: Companion<Position>;
  lat: number;
  lon: number;
  nextAtMs: number;
}

const CONNECTING_AT_ONCE = 20;
const TICK_MS = 10;
/** A client with so many reports without an answer waits, as people do, instead of piling up more on a machine that is too busy. */
const MAX_UNANSWERED = 8;
const COUNTS_EVERY_MS = 250;
/** Longest wait for one client's answers and audit at the end; a client gives up a call before. */
const AUDIT_MS = 35_000;

/** The clients of one process: real WebSockets, each with a session of its own, each keeping its own books. */
export class Crowd {
  readonly #config: CrowdConfig;
  readonly #tell: (message: FromCrowd) => void;
  readonly #members = new Map<number, Member>();
  readonly #replyTimes = new Durations();
  readonly #failed = new Map<string, number>();
  readonly #timers: NodeJS.Timeout[] = [];
  #handovers = 0;
  #reconnects = 0;
  #finishing = false;

  constructor(config: CrowdConfig, tell: (message: FromCrowd) => void) {
    this.#config = config;
    this.#tell = tell;
  }

  /** Connects all clients and tells who could not. */
  async connect(): Promise<void> {
    const failures: string[] = [];
    const waiting = [...this.#config.clients];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { user } = next;
        await this.#join(next).catch((error: unknown) => failures.push(`user ${user}: ${describe(error)}`));
      }
    };
    await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, worker));
    this.#tell({ type: "connected", failures });
    this.#timers.push(setInterval(() => this.#tellCounts(), COUNTS_EVERY_MS));
  }

  async #join({ user, lat, lon, endpoint }: CrowdConfig["clients"][number]): Promise<void> {
    const { run, endpoints } = this.#config;
    const client: Client = await connect<typeof traveller>({
      session: `traveller/${run}-${user}`,
      endpoints: [endpoint, ...endpoints.filter((other) => other !== endpoint)],
    });
    const companion = new Companion<Position>({
      calls: { report: (report) => client.call.report(report), audit: () => client.call.audit() },
      mix: (sum, { n, lat: atLat, lon: atLon }) => chained(sum, n, atLat, atLon),
      now: () => performance.now(),
      onReply: (afterMs) => this.#replyTimes.record(afterMs),
      onFailure: (code) => {
        this.#failed.set(code, (this.#failed.get(code) ?? 0) + 1);
        this.#incident(user, `a call failed with ${code}`);
      },
    });
    client.on("news", ({ k }) => companion.news(k));
    client.on("handover", () => this.#handovers++);
    client.on("status", (status) => {
      if (status === "reconnecting") this.#reconnects++;
    });
    client.on("reset", ({ reason }) => this.#incident(user, `its link was started anew: ${reason}`));
    client.on("problem", (problem) => this.#incident(user, `problem: ${describe(problem)}`));
    client.on("close", (error) => error !== null && this.#incident(user, `its client ended: ${describe(error)}`));
    this.#members.set(user, { user, client, companion, lat, lon, nextAtMs: 0 });
  }

  /** Takes in where users are now. */
  moveTo(flat: readonly number[]): void {
    for (let at = 0; at + 2 < flat.length; at += 3) {
      const member = this.#members.get(flat[at] ?? -1);
      if (member === undefined) continue;
      member.lat = flat[at + 1] ?? 0;
      member.lon = flat[at + 2] ?? 0;
    }
  }

  /** Begins to send; the clients take turns within the pause between two messages. */
  go(): void {
    const { messageEveryMs } = this.#config;
    const startMs = performance.now();
    let i = 0;
    for (const member of this.#members.values()) member.nextAtMs = startMs + (messageEveryMs * i++) / this.#members.size;
    this.#timers.push(setInterval(() => this.#sendDue(), Math.min(TICK_MS, messageEveryMs)));
  }

  #sendDue(): void {
    if (this.#finishing) return;
    const nowMs = performance.now();
    const { messageEveryMs } = this.#config;
    for (const member of this.#members.values()) {
      if (member.nextAtMs > nowMs) continue;
      if (member.companion.open < MAX_UNANSWERED) member.companion.report({ lat: member.lat, lon: member.lon });
      member.nextAtMs = Math.max(member.nextAtMs + messageEveryMs, nowMs - messageEveryMs);
    }
  }

  /** Sends no more, audits every session, tells the result and closes the clients. */
  async finish(): Promise<void> {
    if (this.#finishing) return;
    this.#finishing = true;
    const faults: string[] = [];
    const unaudited = new Set<Companion<Position>>();
    await Promise.all(
      [...this.#members.values()].map(async ({ user, companion }) => {
        try {
          for (const fault of await inTime(companion.audit(), AUDIT_MS)) faults.push(`user ${user}: ${fault}`);
        } catch (error) {
          unaudited.add(companion);
          faults.push(`user ${user}: no audit: ${describe(error)}`);
        }
      }),
    );
    for (const timer of this.#timers) clearInterval(timer);
    this.#tell({
      type: "done",
      counts: this.#counts(unaudited),
      replyMs: this.#replyTimes.summary(),
      faults,
      audited: this.#members.size - unaudited.size,
    });
    for (const { client } of this.#members.values()) client.close();
  }

  #tellCounts(): void {
    this.#tell({ type: "counts", counts: this.#counts(new Set()), replyMs: this.#replyTimes.summary() });
  }

  #counts(unaudited: ReadonlySet<Companion<Position>>): Counts {
    const sum = { connected: 0, messages: 0, replies: 0, lost: 0, doubled: 0, reordered: 0 };
    for (const { client, companion } of this.#members.values()) {
      const counts = unaudited.has(companion) ? companion.unaudited() : companion.counts();
      if (client.status === "live") sum.connected++;
      sum.messages += counts.sent + counts.events;
      sum.replies += counts.replies;
      sum.lost += counts.lost;
      sum.doubled += counts.doubled;
      sum.reordered += counts.reordered;
    }
    return { ...sum, failed: Object.fromEntries(this.#failed), handovers: this.#handovers, reconnects: this.#reconnects };
  }

  #incident(user: number, what: string): void {
    this.#tell({ type: "incident", user, what });
  }
}

function describe(error: unknown): string {
  const { message } = error as Partial<SojournError>;
  return `${errorCodeOf(error)}${message === undefined ? "" : ` (${message})`}`;
}
