import { newerOf, type Position, type StaleWrite } from "@sojourn/core";
import { type Folder, type ObjectNames, type PlacedName, readFolder } from "./names.js";
import type { Objects } from "./objects.js";

/** What the names in a session's folder tell, with the newest positions that they speak of. */
export interface FoundFolder extends Folder {
  readonly newestBase: Position | null;
  readonly newestLog: Position | null;
}

/** The folders of sessions in a bucket, by what the names of their objects tell. */
export class SessionFolders {
  readonly #objects: Objects;
  readonly #names: ObjectNames;

  constructor(objects: Objects, names: ObjectNames) {
    this.#objects = objects;
    this.#names = names;
  }

  /** The session's folder, as a prefix. @throws SojournError `E_SESSION_KEY_INVALID` */
  of(session: string): string {
    return this.#names.folder(session);
  }

  async find(session: string): Promise<FoundFolder> {
    const folder = await this.#read(session, "");
    return { ...folder, newestBase: newestOf(folder.bases), newestLog: newestOf(folder.log) };
  }

  /** Whether a fence of a newer epoch lies there. */
  async overtaken(session: string, epoch: number): Promise<StaleWrite | null> {
    const { fence } = await this.#read(session, "f-");
    return fence > epoch ? { outcome: "stale", epoch: fence } : null;
  }

  /** Removes the objects of these names. */
  async drop(session: string, names: readonly string[]): Promise<void> {
    const prefix = this.of(session);
    await this.#objects.deleteAll(names.map((name) => prefix + name));
  }

  async #read(session: string, start: string): Promise<Folder> {
    const prefix = this.of(session);
    return readFolder((await this.#objects.listAll(prefix + start)).map((key) => key.slice(prefix.length)));
  }
}

function newestOf(places: readonly PlacedName[]): Position | null {
  return places.reduce<Position | null>((best, { epoch, version, hash }) => newerOf(best, { epoch, version, hash }), null);
}
