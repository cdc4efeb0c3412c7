import { createMemorySessionStore, MemoryStoreContents } from "@sojourn/adapters/memory";
import { type Clock, type Limits, openBase, type SessionKey, type SessionStore, SojournError } from "@sojourn/core";
import { systemCrc32 } from "@sojourn/node";
import type { NodeClock } from "./node-clock.js";
import type { SeededRandom } from "./seeded-random.js";

/** Requests to a session store. */
export type StoreRequest = "fence" | "putBase" | "append" | "read" | "list" | "remove" | "forget" | "prune";

/** What goes wrong between one node and the store. */
export interface StoreFaults {
  /** One way, jittered. */
  delayMs: number;
  /** Parts of all requests, 0 to 1: refused before anything is done; the answer is lost; carried out long after its caller gave up. */
  refused: number;
  lostAnswers: number;
  late: number;
  /** Nothing reaches it. */
  down: boolean;
}

/** What becomes of one request; undefined: as the faults have it. */
export type StoreVerdict = "refused" | "lostAnswer" | "lostRequest" | undefined;

/** The session store of a simulated cluster: the memory adapter behind each node's own faulty way to it, and a disk that can be damaged. */
export class VirtualSessionStore {
  readonly contents = new MemoryStoreContents();
  readonly #clock: Clock;
  readonly #store: SessionStore;
  /** Nothing more finds room. */
  full = false;
  /** Told of each request of a node, before anything becomes of it. */
  intercept: ((node: string, request: StoreRequest, session: SessionKey) => StoreVerdict) | null = null;
  /** Told of each fault. */
  onFault: ((fault: "refused" | "lostAnswer" | "late" | "full") => void) | null = null;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#store = createMemorySessionStore({ contents: this.contents, limits });
  }

  /** One node's handle. */
  open(node: string, clock: NodeClock, random: SeededRandom): { readonly store: SessionStore; readonly faults: StoreFaults } {
    const faults: StoreFaults = { delayMs: 1, refused: 0, lostAnswers: 0, late: 0, down: false };
    const ask = <T>(request: StoreRequest, session: SessionKey, carryOut: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const { delayMs } = faults;
        const verdict = this.intercept?.(node, request, session);
        const back = (settle: () => void) => {
          this.#clock.schedule(delayMs * (0.5 + random.next()), () => clock.arrive(settle));
        };
        if (faults.down || verdict === "refused" || random.chance(faults.refused)) {
          this.onFault?.("refused");
          back(() => reject(new SojournError("E_STORE_UNAVAILABLE", "as simulated")));
          return;
        }
        if (verdict === "lostRequest") return;
        const late = random.chance(faults.late);
        if (late) this.onFault?.("late");
        this.#clock.schedule(delayMs * (0.5 + random.next()) + (late ? 100 + random.next() * 3_000 : 0), () => {
          if (this.full && (request === "putBase" || request === "append")) {
            this.onFault?.("full");
            back(() => reject(new SojournError("E_STORE_FULL", "as simulated")));
            return;
          }
          const lost = verdict === "lostAnswer" || random.chance(faults.lostAnswers);
          if (lost) this.onFault?.("lostAnswer");
          carryOut().then(
            (value) => lost || back(() => resolve(value)),
            (error: unknown) => lost || back(() => reject(error)),
          );
        });
      });
    const store = this.#store;
    return {
      faults,
      store: {
        fence: (session, epoch) => ask("fence", session, () => store.fence(session, epoch)),
        putBase: (session, base) => ask("putBase", session, () => store.putBase(session, base)),
        append: (entries) => ask("append", entries[0]?.session ?? "", () => store.append(entries)),
        read: (session) => ask("read", session, () => store.read(session)),
        list: (query) => ask("list", query.prefix, () => store.list(query)),
        remove: (session, epoch) => ask("remove", session, () => store.remove(session, epoch)),
        forget: (session) => ask("forget", session, () => store.forget(session)),
        prune: (session, keepBases) => ask("prune", session, () => store.prune(session, keepBases)),
        close: async () => undefined,
      },
    };
  }

  /** The newest version of a session that a reader would find; 0 without any. */
  newest(session: SessionKey): number {
    const { base, log } = this.contents.get(session).head;
    return Math.max(base?.version ?? 0, log?.version ?? 0);
  }

  /** Versions of the bases that are kept of a session, the newest last, and up to where its log goes. */
  kept(session: SessionKey): { readonly bases: readonly number[]; readonly logTo: number; readonly epoch: number } {
    const { head, bases } = this.contents.get(session);
    return {
      bases: bases.map(({ version }) => version).sort((a, b) => a - b),
      logTo: head.log?.version ?? 0,
      epoch: head.fence,
    };
  }

  /** A bit flips in the newest good base. */
  damageBase(session: SessionKey): void {
    const kept = this.contents.get(session);
    const newest = [...kept.bases]
      .sort((a, b) => b.epoch - a.epoch || b.version - a.version)
      .find(({ bytes }) => openBase(session, bytes, (part, seed) => systemCrc32(part, seed)) !== null);
    const bases = kept.bases.map((base) => (base === newest ? { ...base, bytes: flipped(base.bytes) } : base));
    this.contents.set(session, { ...kept, bases });
  }

  /** The last record of the log is cut off in its middle. */
  tearLog(session: SessionKey): void {
    const kept = this.contents.get(session);
    const last = kept.log.at(-1);
    if (last === undefined) return;
    const torn = { ...last, bytes: last.bytes.slice(0, last.bytes.length >> 1) };
    this.contents.set(session, { ...kept, log: kept.log.with(-1, torn) });
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const bad = bytes.slice();
  const at = bad.length >> 1;
  bad[at] = (bad[at] ?? 0) ^ 1;
  return bad;
}
