import type { SessionClient } from "@sojourn/client";
import { connect } from "@sojourn/client/node";
import type { Ledger, LedgerCalls, LedgerKind } from "./ledgers.js";

/** What became of a session when every node was killed, as its client can tell. */
export interface Recovery {
  /** Kill to the first answer. */
  readonly backMs: number;
  /** Acknowledged calls that the session does not have. */
  readonly lost: number;
  /** For how long before the kill the first of them had been acknowledged; 0 when none was lost. */
  readonly staleMs: number;
  /** For how long at most the session says that the store had not heard of it. */
  readonly boundMs: number;
}

const MAX_OPEN = 64;

/** A client that calls without waiting for answers, and knows which answer came when. */
export class Witness {
  readonly kind: LedgerKind;
  readonly session: string;
  /** What its link was started anew for. */
  readonly resets: string[] = [];
  readonly failures: string[] = [];
  readonly #client: SessionClient;
  #timer: NodeJS.Timeout | null = null;
  #said = 0;
  #open = 0;
  #answers = 0;
  /** When each number of lines was acknowledged, since the last kill; and the greatest before. */
  #acknowledged: { readonly count: number; readonly atMs: number }[] = [];
  #greatest = 0;
  #firstAnswer: (() => void) | null = null;

  private constructor(kind: LedgerKind, session: string, client: SessionClient) {
    this.kind = kind;
    this.session = session;
    this.#client = client;
    client.on("reset", ({ reason }) => this.resets.push(reason));
    client.on("close", (error) => error !== null && this.failures.push(`closed: ${error.code}`));
  }

  static async join(kind: LedgerKind, n: number, endpoints: readonly string[]): Promise<Witness> {
    const session = `${kind}/${n}`;
    return new Witness(
      kind,
      session,
      await connect({ endpoints: [...endpoints], session, limits: { reconnectMaxMs: 500, callTimeoutMs: 120_000 } }),
    );
  }

  get answers(): number {
    return this.#answers;
  }

  talk(everyMs: number): void {
    this.#timer ??= setInterval(() => this.#say(), everyMs);
  }

  #say(): void {
    if (this.#open >= MAX_OPEN) return;
    this.#said++;
    this.#open++;
    this.#calls.say(this.#said).then(
      (count) => {
        this.#open--;
        this.#answers++;
        this.#acknowledged.push({ count, atMs: performance.now() });
        this.#greatest = Math.max(this.#greatest, count);
        this.#firstAnswer?.();
      },
      (error: { readonly code?: string; readonly message?: string }) => {
        this.#open--;
        // What was under way when turns were lost is unknown, and that is said.
        if (this.kind === "strong") this.failures.push(`a call failed: ${error.code ?? error.message}`);
      },
    );
  }

  get #calls(): LedgerCalls {
    return this.#client.call as unknown as LedgerCalls;
  }

  /** Every node is killed at this moment. What was answered until now counts; resolves when the session has answered again. */
  async killed(): Promise<Recovery> {
    const killedMs = performance.now();
    const [acknowledged, greatest] = [this.#acknowledged, this.#greatest];
    this.#acknowledged = [];
    this.#greatest = 0;
    await new Promise<void>((resolve) => {
      this.#firstAnswer = resolve;
    });
    this.#firstAnswer = null;
    const backMs = performance.now() - killedMs;
    const waking = (await this.read()).wakings.at(-1);
    const there = waking?.count ?? 0;
    const first = acknowledged.find(({ count }) => count > there);
    const lost = Math.max(0, greatest - there);
    return { backMs, lost, staleMs: lost === 0 ? 0 : killedMs - (first?.atMs ?? 0), boundMs: waking?.stalenessMs ?? 0 };
  }

  /** A link that is started anew just then takes the call with it: it is made again. */
  async read(): Promise<Ledger> {
    for (;;) {
      const { length } = this.resets;
      try {
        return await this.#calls.read();
      } catch (error) {
        if (this.resets.length === length) throw error;
      }
    }
  }

  /** Stops talking, and waits for what is open. */
  async finish(): Promise<Ledger> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const ledger = await this.read();
    this.#client.close();
    return ledger;
  }

  abandon(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#client.detach();
  }

  /** Calls without an answer. */
  get open(): number {
    return this.#open;
  }
  get said(): number {
    return this.#said;
  }
}
