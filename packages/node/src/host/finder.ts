import {
  type Clock,
  claim,
  claimLost,
  type Directory,
  heldByNobody,
  type Limits,
  type NodeRef,
  needsStore,
  type RecordChange,
  type SessionKey,
  type SessionRecord,
  SojournError,
  type Strategy,
} from "@sojourn/core";
import type { Routes } from "./routes.js";

/** What finding a session needs. */
export interface FinderPorts {
  readonly self: NodeRef;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly directory: Directory;
  readonly routes: Routes;
  isEnded(ref: NodeRef): boolean;
  /** A record was read; what is here may know an older one. */
  learned(key: SessionKey, record: SessionRecord): void;
  /** Whether somebody here is a reason for the session to begin (anew). */
  isWanted(key: SessionKey, record: SessionRecord | null): boolean;
  /** Whether this node can read what the session store keeps. */
  readonly hasStore: boolean;
  /** Null when a session of this kind may be created here, else why not. */
  refuseCreation(key: SessionKey): SojournError | null;
  /** How new sessions of this kind begin. */
  beginning(key: SessionKey): { readonly strategy: Strategy; readonly stored: boolean };
  /** What the session store has of an ended session is gone afterwards. */
  purge(key: SessionKey, epoch: number): Promise<void>;
  /** Creates the session here by a change of its record; tells the record that stands afterwards. */
  create(key: SessionKey, lost: boolean, change: RecordChange): Promise<SessionRecord | null>;
}

const PROMOTION_POLL_MS = 50;
const MAX_POLLS = 40;

/** Finds the owner of a session by the directory, one question at a time per session, and creates sessions that somebody wants and that do not exist. */
export class Finder {
  readonly #ports: FinderPorts;
  readonly #asked = new Map<SessionKey, Promise<void>>();

  constructor(ports: FinderPorts) {
    this.#ports = ports;
  }

  /**
   * Afterwards the routes know who owns the session, if there is one or somebody here wants it.
   * @throws SojournError (rejects) `E_SESSION_KEY_INVALID`, `E_KIND_UNKNOWN`, `E_NODE_CORDONED`, `E_SESSION_BUSY`, `E_SESSION_ENDED`
   */
  resolve(key: SessionKey): Promise<void> {
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const answer = this.#find(key, 0).finally(() => this.#asked.delete(key));
    this.#asked.set(key, answer);
    return answer;
  }

  /** Nobody asks for it, but it has something to do, and nobody who held it is alive: it goes on here. */
  async revive(key: SessionKey): Promise<void> {
    const { self, isEnded, refuseCreation, create, routes } = this.#ports;
    if (refuseCreation(key) !== null) return;
    const record = await create(key, true, (now) => (now === null || now.ended ? null : claimLost(now, self, isEnded)));
    if (record !== null && !record.ended) routes.learnRecord(key, record);
  }

  async #find(key: SessionKey, polls: number): Promise<void> {
    const { directory, routes, isEnded, isWanted } = this.#ports;
    let record: SessionRecord | null;
    try {
      record = await directory.read(key);
    } catch (cause) {
      throw new SojournError("E_SESSION_BUSY", "the directory cannot be reached", {}, cause);
    }
    if (record !== null) this.#ports.learned(key, record);
    if (record === null || record.ended) {
      if (!isWanted(key, record)) {
        // Unless it has begun anew since the record was read.
        if (record !== null && record.epoch >= routes.fence(key)) throw new SojournError("E_SESSION_ENDED");
        return;
      }
      record = await this.#create(key, false, record);
    } else if (isEnded(record.owner)) {
      if (heldByNobody(record, isEnded)) {
        if (!isWanted(key, record)) return;
        if (needsStore(record.strategy) && !this.#ports.hasStore) {
          throw new SojournError("E_SESSION_BUSY", "the session is kept in a session store, and this node has none");
        }
        record = await this.#create(key, true, null);
      } else {
        // A standby takes over on its own; this node only waits to hear who.
        await this.#awaitPromotion(key, polls);
        return;
      }
    }
    if (record === null || record.ended) throw new SojournError("E_SESSION_BUSY");
    routes.learnRecord(key, record);
  }

  async #awaitPromotion(key: SessionKey, polls: number): Promise<void> {
    if (polls >= MAX_POLLS) throw new SojournError("E_SESSION_BUSY", "the session's node was lost and no copy has taken over yet");
    await new Promise<void>((resolve) => {
      this.#ports.clock.schedule(PROMOTION_POLL_MS, resolve);
    });
    await this.#find(key, polls + 1);
  }

  async #create(key: SessionKey, lost: boolean, former: SessionRecord | null): Promise<SessionRecord | null> {
    const { self, isEnded, isWanted, refuseCreation, beginning, create } = this.#ports;
    const refusal = refuseCreation(key);
    if (refusal !== null) throw refusal;
    const { strategy, stored } = beginning(key);
    // Left in the store, an ended session could be taken for the new one before that has its first base there.
    if (former !== null) await this.#ports.purge(key, former.epoch);
    return create(key, lost, (record) => {
      // It may take long, and the session may have begun, lived and ended meanwhile.
      if (!isWanted(key, record)) return null;
      if (lost && record !== null && !record.ended) return claimLost(record, self, isEnded);
      if (record !== null && record.epoch !== former?.epoch) return null; // another life has ended meanwhile
      return claim(record, self, strategy, stored);
    });
  }
}
