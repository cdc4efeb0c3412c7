import {
  type AppendOutcome,
  type BaseHead,
  type DamagedRecord,
  type Judged,
  judgeBase,
  judgeFence,
  judgeRecord,
  judgeRemove,
  type LogRecord,
  type LogRecords,
  NO_HEAD,
  type SessionHead,
  type StaleWrite,
} from "@sojourn/core";
import { frameRecords, recordsOf, splitFrames } from "./framing.js";
import type { Contents, Encoded, Journal, Removal } from "./journal.js";
import { Latest } from "./latest.js";
import { baseName, baseNames, type Folder, fenceName, logName } from "./names.js";
import type { Objects } from "./objects.js";
import type { SessionFolders } from "./session-folders.js";

/** A log object may go between the list and the read; then everything is read again, so often. */
const READS = 5;

/**
 * Fencing with nothing but plain puts and lists that see what was put before (as S3's do). Each epoch's fence is an object of its own
 * name, and an epoch's data carry the epoch in theirs, so nobody overwrites what another wrote. Who fences puts the fence and then lists
 * the data; who writes puts the data and then lists the fences. So either the writer finds the fence and does not acknowledge, or
 * its data are found. What an older epoch still puts after that is acknowledged to nobody, and where it contradicts the newer epoch the
 * newer one is believed. It may be found, though, until the newer epoch has written something; so a writer that is told to be stale
 * does not take it back: somebody may have built on it. An append costs two requests, one after the other.
 */
export class FenceJournal implements Journal {
  readonly #objects: Objects;
  readonly #folders: SessionFolders;
  readonly #records: LogRecords;
  /** Where sessions stand that this handle has written. */
  readonly #known: Latest<SessionHead>;

  constructor(objects: Objects, folders: SessionFolders, records: LogRecords, maxKnown: number) {
    this.#objects = objects;
    this.#folders = folders;
    this.#records = records;
    this.#known = new Latest(maxKnown);
  }

  async fence(session: string, epoch: number): Promise<Judged<StaleWrite>> {
    const { head, fence } = await this.#folder(session);
    const judged = judgeFence(head, epoch);
    if (judged.outcome !== "accepted") return judged;
    if (fence < epoch) await this.#putFence(session, epoch, false);
    return (await this.overtaken(session, epoch)) ?? judged;
  }

  baseKey(session: string, base: BaseHead): string {
    return this.#folders.of(session) + baseName(base);
  }

  async commitBase(session: string, base: BaseHead, key: string): Promise<Judged<StaleWrite>> {
    try {
      const judged = await this.#judge(session, base.epoch, (head) => judgeBase(head, base));
      const stale = judged.outcome === "stale" ? judged : await this.overtaken(session, base.epoch);
      if (stale !== null || judged.outcome !== "accepted") {
        this.#known.forget(session);
        return stale ?? judged;
      }
      this.#known.set(session, judged.head);
      const same = await this.#objects.listAll(this.#folders.of(session) + baseNames(base));
      await this.#objects.deleteAll(same.filter((other) => other !== key));
      return judged;
    } catch (error) {
      this.#known.forget(session);
      throw error;
    }
  }

  async append(session: string, encoded: readonly Encoded[]): Promise<readonly AppendOutcome[]> {
    const epoch = encoded[0]?.record.epoch ?? 0;
    try {
      let head = NO_HEAD;
      let outcomes: AppendOutcome[] = [];
      let taken: Encoded[] = [];
      await this.#judge(session, epoch, (start) => {
        head = start;
        outcomes = [];
        taken = [];
        for (const one of encoded) {
          const judged = judgeRecord(head, one.record);
          if (judged.outcome === "accepted" && "head" in judged) {
            head = judged.head;
            taken.push(one);
          }
          outcomes.push(judged.outcome === "stale" || judged.outcome === "gap" ? judged : { outcome: "appended" });
        }
        return taken.length > 0 ? { outcome: "accepted", head } : { outcome: "nothing" };
      });
      const last = taken.at(-1);
      const key = last === undefined ? null : this.#folders.of(session) + logName(last.record, taken.length);
      if (key !== null) await this.#objects.put(key, frameRecords(taken.map(({ bytes }) => bytes)));
      // What was there before is only sure, too, when no newer epoch has fenced it since.
      const stale = await this.overtaken(session, epoch);
      if (stale === null) {
        if (key !== null) this.#known.set(session, head);
        return outcomes;
      }
      this.#known.forget(session);
      return outcomes.map(() => stale);
    } catch (error) {
      this.#known.forget(session);
      throw error;
    }
  }

  async remove(session: string, epoch: number): Promise<Judged<StaleWrite>> {
    const folder = await this.#folder(session);
    const judged = judgeRemove(folder.head, epoch);
    if (judged.outcome !== "accepted") return judged;
    await this.#putFence(session, epoch + 1, true);
    const kept = fenceName(epoch + 1, true);
    await this.#folders.drop(
      session,
      folder.names.filter((name) => name !== kept),
    );
    return (await this.overtaken(session, epoch + 1)) ?? judged;
  }

  async forget(session: string): Promise<{ readonly outcome: "forgotten" | "kept" }> {
    const { head, names } = await this.#folder(session);
    if (head.base !== null || head.log !== null) return { outcome: "kept" };
    this.#known.forget(session);
    await this.#folders.drop(session, names);
    return { outcome: "forgotten" };
  }

  async contents(session: string): Promise<Contents> {
    const prefix = this.#folders.of(session);
    for (let i = 1; ; i++) {
      const { head, bases, log } = await this.#folder(session);
      const objects = await Promise.all(log.map(({ name }) => this.#objects.get(prefix + name)));
      if (objects.includes(null) && i < READS) continue;
      const records: (LogRecord | DamagedRecord)[] = objects.flatMap((object, at) => {
        const place = log[at];
        const end = place === undefined ? null : { epoch: place.epoch, version: place.version };
        return object === null ? [{ damaged: end }] : recordsOf(session, splitFrames(object.body), this.#records, end);
      });
      return { head, bases: bases.map((base) => ({ ...base, key: prefix + base.name })), records };
    }
  }

  async removeParts(session: string, removal: Removal): Promise<number> {
    const { head, log, names } = await this.#folder(session);
    const going = log.filter((place) => removal.records(place)).map(({ name }) => name);
    const fences = names.filter((name) => name.startsWith("f-") && !name.includes(".removed") && name < fenceName(head.fence, false));
    await this.#objects.deleteAll(removal.bases.map(({ key }) => key));
    await this.#folders.drop(session, [...going, ...fences]);
    return log.filter((place) => removal.records(place)).reduce((total, { records }) => total + records, 0);
  }

  /** The head as the names tell it. */
  async #folder(session: string): Promise<Folder & { readonly head: SessionHead }> {
    const folder = await this.#folders.find(session);
    const { fence, newestBase: base, newestLog: log } = folder;
    return { ...folder, head: { fence: Math.max(fence, base?.epoch ?? 0, log?.epoch ?? 0), base, log } };
  }

  /** Judges a write of an epoch whose fence is there, if the write is accepted; it is put first when it is not there yet. */
  async #judge<Refusal>(session: string, epoch: number, judge: (head: SessionHead) => Judged<Refusal>): Promise<Judged<Refusal>> {
    const known = this.#known.get(session);
    if (known?.fence === epoch) return judge(known);
    const { head, fence } = await this.#folder(session);
    const judged = judge(head);
    if (fence >= epoch || typeof judged !== "object" || judged === null || !("head" in judged)) return judged;
    await this.#putFence(session, epoch, false);
    return judge((await this.#folder(session)).head);
  }

  overtaken(session: string, epoch: number): Promise<StaleWrite | null> {
    return this.#folders.overtaken(session, epoch);
  }

  async #putFence(session: string, epoch: number, removed: boolean): Promise<void> {
    this.#known.forget(session);
    await this.#objects.put(this.#folders.of(session) + fenceName(epoch, removed), new Uint8Array(0));
  }
}
