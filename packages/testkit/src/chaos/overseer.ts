import { type Directory, type NodeRef, resolveLimits, type SessionKey, type SessionRecord } from "@sojourn/core";
import { connectDirectory, createSystemClock, createSystemRandom, systemCrc32 } from "@sojourn/node";

/** What the directory's records told of fail-overs. */
export interface OverseerCounts {
  /** Sessions whose owner's lease ended, or that somebody took without it. */
  readonly failoversTried: number;
  /** Of these, how many have another owner now. */
  readonly failovers: number;
}

/** Looks at the directory from outside, over no proxy, and knows when a cluster is whole again. */
export class Overseer {
  readonly #directory: Directory;
  readonly #records = new Map<SessionKey, SessionRecord>();
  readonly #live = new Map<NodeRef, () => void>();
  readonly #ended = new Set<NodeRef>();
  /** Sessions whose owner has ended. */
  readonly #orphans = new Set<SessionKey>();
  readonly #looks = new Set<() => void>();
  #tried = 0;
  #failovers = 0;

  constructor(endpoint: string) {
    this.#directory = connectDirectory({
      endpoint,
      limits: resolveLimits({ peerReconnectMaxMs: 100 }),
      clock: createSystemClock(),
      random: createSystemRandom(),
      crc32: systemCrc32,
    });
    this.#directory.watchNodes(({ ref, ended }) => (ended ? this.#onEnded(ref) : this.#onLive(ref)));
  }

  /** Sessions that have not ended, with their records. */
  get records(): ReadonlyMap<SessionKey, SessionRecord> {
    return this.#records;
  }

  counts(): OverseerCounts {
    return { failoversTried: this.#tried, failovers: this.#failovers };
  }

  /** What is not whole yet: sessions without a living owner, in the middle of a hand-over, or with too few copies. */
  unsettled(copies: number): string[] {
    const wanted = Math.min(copies, this.#live.size - 1);
    const found: string[] = [];
    for (const [key, { owner, heir, inSync }] of this.#records) {
      const living = inSync.filter((ref) => this.#live.has(ref) && ref !== owner).length;
      if (!this.#live.has(owner)) found.push(`${key} has no living owner`);
      else if (heir !== null) found.push(`${key} is still being handed to ${heir}`);
      else if (living < wanted) found.push(`${key} has ${living} of ${wanted} copies`);
    }
    return found;
  }

  /** Waits until so many nodes live and every session is whole. Resolves with what is still missing after `patienceMs`. */
  settled(nodes: number, copies: number, patienceMs: number): Promise<readonly string[]> {
    const missing = () => [...(this.#live.size === nodes ? [] : [`${this.#live.size} of ${nodes} nodes live`]), ...this.unsettled(copies)];
    return new Promise((resolve) => {
      const settle = (left: readonly string[]): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
        resolve(left);
      };
      const look = (): void => {
        const left = missing();
        if (left.length === 0) settle(left);
      };
      const timer = setTimeout(() => settle(missing()), patienceMs);
      this.#looks.add(look);
      look();
    });
  }

  close(): Promise<void> {
    return this.#directory.close();
  }

  #onLive(ref: NodeRef): void {
    if (this.#live.has(ref) || this.#ended.has(ref)) return;
    this.#live.set(
      ref,
      this.#directory.watchRecords(ref, (key, record) => this.#onRecord(key, record)),
    );
    this.#look();
  }

  #onEnded(ref: NodeRef): void {
    if (this.#ended.has(ref)) return;
    this.#ended.add(ref);
    this.#live.get(ref)?.();
    this.#live.delete(ref);
    for (const [key, record] of this.#records) {
      if (record.owner !== ref || this.#orphans.has(key)) continue;
      this.#orphans.add(key);
      this.#tried++;
    }
    this.#look();
  }

  #onRecord(key: SessionKey, record: SessionRecord): void {
    const before = this.#records.get(key);
    if (before !== undefined && record.revision <= before.revision) return;
    if (record.ended) this.#records.delete(key);
    else this.#records.set(key, record);
    if (before !== undefined && before.owner !== record.owner) this.#changedOwner(key, before, record);
    this.#look();
  }

  #changedOwner(key: SessionKey, before: SessionRecord, now: SessionRecord): void {
    const orphaned = this.#orphans.delete(key);
    const planned = before.heir === now.owner && !orphaned;
    if (orphaned) this.#failovers++;
    else if (!planned && before.heir === null && now.epoch === before.epoch + 1 && now.revision === before.revision + 1) {
      this.#tried++;
      this.#failovers++;
    }
    if (this.#ended.has(now.owner)) {
      this.#orphans.add(key);
      this.#tried++;
    }
  }

  #look(): void {
    for (const look of [...this.#looks]) look();
  }
}
