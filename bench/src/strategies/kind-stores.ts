import { join } from "node:path";
import { openDiskSessionStore } from "@sojourn/adapters/disk";
import type { SessionStore, StoredReplica } from "@sojourn/core";

/** One restore from a store. */
export interface Restore {
  readonly session: string;
  readonly fenceMs: number;
  readonly readMs: number;
  /** From when everything was read to the first turn. */
  readonly replayMs: number;
  readonly logTurns: number;
}

/** A store on disk for each kind, behind one that looks at a session's kind: so that each kind's bytes on disk can be told apart. */
export class KindStores {
  readonly #stores: ReadonlyMap<string, SessionStore>;
  readonly #reads = new Map<string, { fenceMs: number; readMs: number; readAtMs: number; logTurns: number }>();
  readonly restores: Restore[] = [];

  private constructor(stores: ReadonlyMap<string, SessionStore>) {
    this.#stores = stores;
  }

  /** @param folder which has, or gets, one folder for each kind */
  static async open(folder: string, kinds: readonly string[]): Promise<KindStores> {
    const stores = new Map<string, SessionStore>();
    for (const kind of kinds) stores.set(kind, await openDiskSessionStore({ path: join(folder, kind) }));
    return new KindStores(stores);
  }

  /** The session that was read runs. */
  woken(session: string): void {
    const read = this.#reads.get(session);
    if (read === undefined) return;
    this.#reads.delete(session);
    const { fenceMs, readMs, readAtMs, logTurns } = read;
    this.restores.push({ session, fenceMs, readMs, logTurns, replayMs: performance.now() - readAtMs });
  }

  /** All of them as one store. */
  get store(): SessionStore {
    const of = (session: string): SessionStore => {
      const store = this.#stores.get(session.slice(0, session.indexOf("/")));
      if (store === undefined) throw new Error(`no store for ${session}`);
      return store;
    };
    const fencedMs = new Map<string, number>();
    return {
      fence: async (session, epoch) => {
        const startedMs = performance.now();
        const answer = await of(session).fence(session, epoch);
        fencedMs.set(session, performance.now() - startedMs);
        return answer;
      },
      putBase: (session, base) => of(session).putBase(session, base),
      append: async (entries) => {
        const [first] = entries;
        if (first === undefined) return [];
        const store = of(first.session);
        if (entries.every(({ session }) => of(session) === store)) return store.append(entries);
        return (await Promise.all(entries.map((entry) => of(entry.session).append([entry])))).flat();
      },
      read: async (session) => {
        const startedMs = performance.now();
        const replica = await of(session).read(session);
        this.#read(session, replica, fencedMs.get(session) ?? 0, performance.now() - startedMs);
        return replica;
      },
      list: () => Promise.resolve({ sessions: [], next: null }),
      remove: (session, epoch) => of(session).remove(session, epoch),
      forget: (session) => of(session).forget(session),
      prune: (session, keepBases) => of(session).prune(session, keepBases),
      close: async () => {
        for (const store of this.#stores.values()) await store.close();
      },
    };
  }

  #read(session: string, replica: StoredReplica | null, fenceMs: number, readMs: number): void {
    const logTurns = (replica?.log ?? []).reduce((sum, { deltas }) => sum + deltas.length, 0);
    this.#reads.set(session, { fenceMs, readMs, readAtMs: performance.now(), logTurns });
  }
}
