import {
  heldByNobody,
  kindInKey,
  needsStore,
  replay,
  type Scheduled,
  type SessionKey,
  type SessionRecord,
  type StoreWriter,
} from "@sojourn/core";
import type { Host } from "./host.js";
import { weightOf } from "./rendezvous.js";

/** Records that a sweep remembers to have dealt with; beyond that it looks again. */
const MAX_REMEMBERED = 100_000;

/**
 * Goes through what the session store holds, at a bounded rate, one node for each session:
 * - Sessions that nobody owns any more, with timers or clients that are away: nobody may ever ask for them, so they are restored here.
 * - What ended sessions have left is removed, and the fence of it forgotten once no writer of it can be alive (`fenceRetentionMs`).
 * - What sessions have left that are kept in memory now is removed once they have gone on to another epoch: that shuts out nobody who acts.
 */
export class StoreSweep {
  readonly #host: Host;
  readonly #store: StoreWriter;
  #timer: Scheduled | null = null;
  /** Revision at which a session was found to need nothing. */
  readonly #idle = new Map<SessionKey, number>();
  /** Since when a session is known to have nothing in the store but its fence. */
  readonly #emptySince = new Map<SessionKey, number>();
  #stopped = false;

  constructor(host: Host, store: StoreWriter) {
    this.#host = host;
    this.#store = store;
  }

  /** The first sweep comes when everybody who died with this node's former life has lost its lease. */
  start(): void {
    const { limits, random } = this.#host;
    this.#later(limits.leaseTtlMs * (1 + random.next() / 2), () => this.#page(undefined));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #later(ms: number, next: () => void): void {
    if (this.#stopped) return;
    this.#timer = this.#host.clock.schedule(ms, next);
  }

  #over(): void {
    const { limits, random } = this.#host;
    this.#later(limits.storeSweepMs * (0.75 + random.next() / 2), () => this.#page(undefined));
  }

  #page(after: string | undefined): void {
    const limit = this.#host.limits.maxStoreListEntries;
    this.#store.list({ prefix: "", limit, ...(after !== undefined && { after }) }).then(
      ({ sessions, next }) => this.#next(sessions, 0, next),
      () => this.#over(), // the store is away: another time
    );
  }

  #next(sessions: readonly SessionKey[], from: number, after: string | null): void {
    if (this.#stopped) return;
    for (let i = from; i < sessions.length; i++) {
      const key = sessions[i] as SessionKey;
      if (!this.#isMine(key)) continue;
      this.#look(key).then(
        () => this.#pause(sessions, i + 1, after),
        () => this.#pause(sessions, i + 1, after), // it is looked at again by the next sweep
      );
      return;
    }
    if (after === null) this.#over();
    else this.#later(0, () => this.#page(after));
  }

  #pause(sessions: readonly SessionKey[], next: number, after: string | null): void {
    this.#later(1_000 / this.#host.limits.maxSweptPerSec, () => this.#next(sessions, next, after));
  }

  /** One node is to look after it; which one may not be clear for a moment, and it does no harm when several do. */
  #isMine(key: SessionKey): boolean {
    const { membership, self } = this.#host;
    const kind = kindInKey(key);
    const mine = weightOf(key, self);
    return !membership.others().some(({ ref, info }) => Object.hasOwn(info.kinds, kind) && weightOf(key, ref) > mine);
  }

  async #look(key: SessionKey): Promise<void> {
    const host = this.#host;
    if (!host.leaseValid() || host.slots.get(key)?.owner != null) return;
    const record = await host.directory.read(key);
    if (record === null || this.#stopped) return; // a store without its directory is not for a machine to empty
    if (record.ended) await this.#clear(key, record.epoch);
    else if (!needsStore(record.strategy)) await this.#clear(key, record.epoch - 1);
    else await this.#wake(key, record);
  }

  /** @param epoch the last one of which nobody acts any more */
  async #clear(key: SessionKey, epoch: number): Promise<void> {
    const { clock, limits } = this.#host;
    const since = this.#emptySince.get(key);
    if (since === undefined) {
      if (epoch < 1 || (await this.#store.remove(key, epoch)).outcome !== "removed") return;
      remember(this.#emptySince, key, clock.now());
    } else if (clock.now() - since >= limits.fenceRetentionMs) {
      this.#emptySince.delete(key);
      await this.#store.forget(key);
    }
  }

  /** Nobody who held it in memory is alive. Whether it has anything to do is in its state. */
  async #wake(key: SessionKey, record: SessionRecord): Promise<void> {
    const host = this.#host;
    const { revision } = record;
    if (!heldByNobody(record, (ref) => host.isEnded(ref)) || this.#idle.get(key) === revision || host.membership.info.cordoned) return;
    const factory = host.factoryOf(key);
    const codec = host.codecOf(key);
    if (factory === null || codec === null) return;
    const replica = await this.#store.read(key);
    if (replica === null || this.#stopped) return;
    const { cell } = replay(key, replica, factory, codec, host.crc32);
    if (cell.nextTimerAtMs() === null && cell.links.size === 0) {
      remember(this.#idle, key, revision);
      return;
    }
    await new Promise<void>((resolve) => {
      host.promote(key, (done) => {
        host.finder
          .revive(key)
          .catch(() => undefined)
          .finally(() => {
            done();
            resolve();
          });
      });
    });
  }
}

function remember(map: Map<SessionKey, number>, key: SessionKey, value: number): void {
  if (map.size >= MAX_REMEMBERED) map.clear();
  map.set(key, value);
}
