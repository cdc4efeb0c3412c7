import { SojournError } from "@sojourn/core";
import { nonce, type ObjectNames } from "./names.js";
import type { Objects } from "./objects.js";

/** How older epochs are kept out: by conditional puts, or by an object for each fence. */
export type Fencing = "conditional" | "objects";

const FORMAT = "sojourn-sessions 1";

/**
 * The fencing of a store: what its own object says, or, for a new store, what was asked for or what the server shows that it can. The
 * choice is written down before anything else, since handles of both kinds would not see each other.
 * @throws SojournError `E_CONFIG_INVALID` when it is another than was asked for, or the prefix holds something else
 */
export async function detectFencing(objects: Objects, names: ObjectNames, asked: Fencing | "detect"): Promise<Fencing> {
  const known = await readFencing(objects, names);
  const chosen = known ?? (asked === "detect" ? await probe(objects, names) : asked);
  if (asked !== "detect" && asked !== chosen) {
    throw new SojournError("E_CONFIG_INVALID", `the store was made with fencing "${chosen}", not "${asked}"`, { fencing: chosen });
  }
  if (known !== null) return known;
  await objects.put(names.store, Buffer.from(`${FORMAT} ${chosen}`), { ifNoneMatch: "*" });
  const written = await readFencing(objects, names);
  if (written === null)
    throw new SojournError("E_STORE_UNAVAILABLE", "the object store does not keep what is put; is there such a bucket?");
  if (asked === "detect" || asked === written) return written;
  throw new SojournError("E_CONFIG_INVALID", `another handle has just made the store with fencing "${written}"`, { fencing: written });
}

async function readFencing(objects: Objects, names: ObjectNames): Promise<Fencing | null> {
  const found = await objects.get(names.store);
  if (found === null) return null;
  const text = Buffer.from(found.body).toString();
  if (text === `${FORMAT} conditional`) return "conditional";
  if (text === `${FORMAT} objects`) return "objects";
  throw new SojournError("E_CONFIG_INVALID", `the prefix holds "${text.slice(0, 40)}"`);
}

/** Conditional only if both conditions are kept, when they hold and when they do not. */
async function probe(objects: Objects, names: ObjectNames): Promise<Fencing> {
  const key = names.probe(nonce());
  try {
    const first = await objects.put(key, Buffer.from("1"), { ifNoneMatch: "*" });
    if (first === null || first === "") return "objects";
    if ((await objects.put(key, Buffer.from("2"), { ifNoneMatch: "*" })) !== null) return "objects";
    const second = await objects.put(key, Buffer.from("3"), { ifMatch: first });
    if (second === null || (await objects.put(key, Buffer.from("4"), { ifMatch: first })) !== null) return "objects";
    return Buffer.from((await objects.get(key))?.body ?? []).toString() === "3" ? "conditional" : "objects";
  } catch (error) {
    // A server that does not know the headers may refuse them as such; whether it is there at all shows next.
    if (error instanceof SojournError && error.details.status === 501) return "objects";
    throw error;
  } finally {
    await objects.delete(key).catch(() => undefined);
  }
}
