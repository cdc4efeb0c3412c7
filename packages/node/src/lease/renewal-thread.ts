import { Worker } from "node:worker_threads";
import { type Clock, type Limits, type NodeRef, type RenewalSource, type Scheduled, SojournError } from "@sojourn/core";
import { type Lease, type LeaseBook, type LeaseEvents, type LeaseRenewal, RENEWALS_PER_LEASE, SAFE_SHARE } from "./lease.js";
import { LeaseGuard } from "./lease-guard.js";
import { measureOffset, SharedLease } from "./shared-lease.js";
import type { FromRenewalThread, RenewalThreadConfig, ToRenewalThread } from "./thread-messages.js";

const ENTRY = new URL("./thread-main.js", import.meta.url);
/** The thread holds a socket and a timer; it needs next to nothing. */
const RESOURCES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 };
/** A thread that died is started again after this share of the lease. */
const RESTART_SHARE = 1 / 16;
/** So often within `maxStallMs` the event loop says that it goes round. */
const TICKS_PER_STALL = 4;

interface Current {
  readonly ref: NodeRef;
  readonly shared: SharedLease;
  readonly guard: LeaseGuard;
  readonly events: LeaseEvents;
}

/**
 * Renews leases on a thread of its own, over a connection of its own, so that neither a handler that holds the event loop up, nor a long
 * collection, nor traffic to the directory can starve it. The two threads share the lease's state in memory: the node's check before
 * each turn asks nobody. A loop that stands still for longer than `maxStallMs` is not renewed for: its sessions go elsewhere.
 */
export class RenewalThread implements LeaseRenewal {
  readonly #source: RenewalSource;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #entry: URL;
  #worker: Worker | null = null;
  #ready: Promise<void> | null = null;
  #current: Current | null = null;
  #restart: Scheduled | null = null;
  #closed = false;

  constructor(source: RenewalSource, clock: Clock, limits: Limits, entry: URL = ENTRY) {
    this.#source = source;
    this.#clock = clock;
    this.#limits = limits;
    this.#entry = entry;
  }

  open(): Promise<void> {
    if (this.#closed) return Promise.reject(new SojournError("E_NODE_STOPPING"));
    this.#ready ??= this.#start();
    return this.#ready;
  }

  /** Resolves when the thread runs. A thread that dies later is started again. */
  #start(): Promise<void> {
    const config: RenewalThreadConfig = {
      source: this.#source,
      ttlMs: this.#limits.leaseTtlMs,
      maxStallMs: this.#limits.maxStallMs,
    };
    return new Promise((resolve, reject) => {
      // Without the process's own flags: loaders and inspectors are none of this thread's business.
      const worker = new Worker(this.#entry, { workerData: config, execArgv: [], resourceLimits: RESOURCES, name: "sojourn-lease" });
      worker.unref();
      this.#worker = worker;
      let died: Error | null = null;
      worker.on("message", (message: FromRenewalThread) => {
        if (message.t === "ready") {
          resolve();
          if (this.#current !== null) this.#hand(this.#current);
        } else if (message.t === "changed") this.#current?.guard.look();
        else this.#current?.events.failed(new SojournError(message.code, message.message));
      });
      worker.once("error", (error: Error) => {
        died = error;
      });
      worker.once("exit", (code) => {
        const error = new SojournError(
          "E_LEASE_RENEWAL",
          `the thread that renews the lease has ended: ${died?.message ?? `exit code ${code}`}`,
          {},
          died,
        );
        reject(error);
        this.#gone(worker, error);
      });
    });
  }

  #gone(worker: Worker, error: SojournError): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#ready = null;
    if (this.#current === null || this.#closed) return;
    this.#current.events.failed(error);
    this.#restart = this.#clock.schedule(this.#limits.leaseTtlMs * RESTART_SHARE, () => {
      this.open().catch(() => undefined); // told above
    });
  }

  #hand({ ref, shared }: Current): void {
    this.#tell({ t: "renew", ref, buffer: shared.buffer });
  }

  #tell(message: ToRenewalThread): void {
    this.#worker?.postMessage(message);
  }

  begin(ref: NodeRef, sentAtMs: number, events: LeaseEvents): Lease {
    const { leaseTtlMs, maxStallMs } = this.#limits;
    const clock = this.#clock;
    const shared = new SharedLease();
    const { ahead, behind } = measureOffset(() => clock.now());
    shared.extend(sentAtMs + leaseTtlMs * SAFE_SHARE + behind);
    shared.tick();
    const book: LeaseBook = {
      validUntilMs: () => shared.validUntilMs() - ahead,
      extend: (untilMs) => shared.extend(untilMs + behind),
      get ended() {
        return shared.ended;
      },
      end: () => shared.end(),
    };
    const guard = new LeaseGuard(clock, book, leaseTtlMs / RENEWALS_PER_LEASE, events);
    const current: Current = { ref, shared, guard, events };
    this.#current = current;
    this.#hand(current);
    let tick: Scheduled;
    let tickedAtMs = clock.now();
    const arm = (): Scheduled =>
      clock.schedule(maxStallMs / TICKS_PER_STALL, () => {
        const nowMs = clock.now();
        const stalledMs = Math.round(nowMs - tickedAtMs);
        tickedAtMs = nowMs;
        shared.tick();
        tick = arm();
        if (stalledMs > maxStallMs) {
          events.failed(new SojournError("E_LEASE_RENEWAL", `the event loop stood still for ${stalledMs} ms`, { stalledMs, maxStallMs }));
        }
      });
    tick = arm();
    return {
      valid: () => guard.valid(),
      stop: () => {
        guard.stop();
        tick.cancel();
        if (this.#current !== current) return;
        this.#current = null;
        this.#restart?.cancel();
        this.#tell({ t: "rest" });
      },
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#current = null;
    this.#restart?.cancel();
    await this.#worker?.terminate();
  }
}
