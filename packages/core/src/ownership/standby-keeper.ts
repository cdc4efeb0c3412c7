import type { NodeRef } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionRecord } from "../ports/directory.js";
import type { PeerMessageOf } from "../wire/peer-messages.js";
import { join } from "./drafts.js";
import type { Feed } from "./feed.js";
import { Recruit, type RecruitOwner } from "./recruit.js";

/** The owner, as the keeper of its standbys sees it. */
export interface KeeperOwner extends RecruitOwner {
  /** Where a hand-over that is under way goes, or null; it decides who holds copies. */
  readonly movingTo: NodeRef | null;
  /** The record names this node owner at its present epoch. */
  readonly recorded: boolean;
  readonly feeds: ReadonlyMap<NodeRef, Feed>;
  recordChanged(): void;
  /** Knows how many copies in memory the session is to have. */
  readonly store: { wantedStandbys(record: SessionRecord): number; mayDrop(record: SessionRecord): boolean };
  /** Stops waiting for whom the record does not name (any more), unless a hand-over brings it in. */
  adoptInSync(record: SessionRecord): void;
  /** [3] Drops standbys from the record, and only then stops waiting for them. */
  dropStandbys(refs: readonly NodeRef[]): void;
}

/** Pause before another node is asked when one refused or failed. */
const RETRY_MS = 1_000;

/**
 * Keeps as many in-sync copies of an owned session as are wished for: recruits one after another [2], in another failure domain first
 * (the host ranks them), and again when one is lost. At most one recruiting per session.
 */
export class StandbyKeeper {
  readonly #owner: KeeperOwner;
  #recruit: Recruit | null = null;
  #timer: Scheduled | null = null;
  /** Who failed since the last success, to try others first. */
  readonly #failed = new Set<NodeRef>();
  #stopped = false;

  constructor(owner: KeeperOwner) {
    this.#owner = owner;
  }

  /** The node that is being recruited. */
  get target(): NodeRef | null {
    return this.#recruit?.target ?? null;
  }

  /** Looks whether a copy is missing. Cheap when none is. */
  check(): void {
    const owner = this.#owner;
    if (this.#stopped || this.#recruit !== null || this.#timer !== null || owner.movingTo !== null || !owner.recorded) return;
    const { host, key, cas } = owner.slot;
    const { record } = cas;
    if (record === null || record.ended) return;
    const wanted = owner.store.wantedStandbys(record);
    // What a hand-over has left over, where a store keeps the session: the latest to come go.
    if (record.inSync.length > wanted && record.heir === null && owner.store.mayDrop(record))
      owner.dropStandbys(record.inSync.slice(wanted));
    if (this.#live(record.inSync).length >= wanted) return;
    const candidate = this.#choose(host.rankStandbys(key));
    if (candidate === null) {
      this.#later(); // nobody can take it now
      return;
    }
    const recruit = new Recruit(owner, candidate, true, {
      accepted: (go) => go(),
      ready: (feed) => this.#record(recruit, feed),
      failed: () => {
        this.#failed.add(candidate);
        this.#over();
      },
    });
    this.#recruit = recruit;
    recruit.begin();
  }

  /** Copies that can be counted on. */
  #live(inSync: readonly NodeRef[]): readonly NodeRef[] {
    const { host } = this.#owner.slot;
    return inSync.filter((ref) => host.suspicionOf(ref) === "none");
  }

  #choose(ranked: readonly NodeRef[]): NodeRef | null {
    const { feeds } = this.#owner;
    const open = ranked.filter((ref) => feeds.get(ref)?.recorded !== true);
    const fresh = open.find((ref) => !this.#failed.has(ref));
    if (fresh === undefined) this.#failed.clear();
    return fresh ?? open[0] ?? null;
  }

  #record(recruit: Recruit, feed: Feed): void {
    const owner = this.#owner;
    const { host, cas } = owner.slot;
    const { epoch } = owner;
    cas.submit(
      (record) => {
        if (record === null || host.isEnded(feed.peer)) return null;
        const live = this.#live(record.inSync);
        // [3] Whom it replaces leaves in the same write, and may not take over from here any more.
        const replaced = record.inSync.filter((ref) => ref !== feed.peer && !live.includes(ref));
        const needed = live.length < owner.store.wantedStandbys(record) || live.includes(feed.peer);
        return needed ? join(record, host.self, epoch, feed.peer, replaced) : null;
      },
      ({ record }) => {
        if (this.#stopped || this.#recruit !== recruit) return;
        if (record?.owner === host.self && record.epoch === owner.epoch && record.inSync.includes(feed.peer)) {
          feed.recorded = true;
          this.#failed.clear();
          owner.adoptInSync(record);
        } else if (owner.movingTo !== feed.peer) {
          recruit.withdraw();
        } // else the copy is the hand-over's, which may be recording it as heir [3]
        this.#recruit = null;
        owner.recordChanged();
        this.check();
      },
    );
  }

  onAnswer(from: NodeRef, message: PeerMessageOf<"accept"> | PeerMessageOf<"refuse">): void {
    this.#recruit?.onAnswer(from, message);
  }

  onAcked(feed: Feed): void {
    this.#recruit?.onAcked(feed);
  }

  /** A copy in a process that is gone is none. One that is only silent is waited for until another can be recorded in its place. */
  onSuspected(ref: NodeRef): void {
    const { host, cas } = this.#owner.slot;
    if (cas.record === null || cas.record.heir === ref || !cas.record.inSync.includes(ref)) return;
    if (host.suspicionOf(ref) === "gone") this.#owner.dropStandbys([ref]);
    else this.check();
  }

  onEnded(ref: NodeRef): void {
    if (this.#recruit?.target === ref) this.#recruit.fail("E_MOVE_FAILED", "the node's lease has ended");
  }

  /** A hand-over begins: what is being recruited is given up, unless a write that may name it is under way. */
  yieldTo(target: NodeRef): void {
    this.#timer?.cancel();
    this.#timer = null;
    const recruit = this.#recruit;
    if (recruit === null || recruit.over) return;
    this.#recruit = null;
    recruit.stop();
    // The hand-over to the same node goes on with the copy that it has got so far.
    if (recruit.target !== target) recruit.withdraw();
  }

  #over(): void {
    this.#recruit = null;
    this.#later();
  }

  #later(): void {
    if (this.#stopped) return;
    const { clock, random } = this.#owner.slot.host;
    this.#timer = clock.schedule(RETRY_MS * (0.5 + random.next()), () => {
      this.#timer = null;
      this.check();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#recruit?.stop();
    this.#timer?.cancel();
  }
}
