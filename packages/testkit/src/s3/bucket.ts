import { createHash, randomBytes } from "node:crypto";

/** One object with its tag. */
export interface KeptObject {
  readonly body: Buffer;
  readonly etag: string;
}

/** A page of ListObjectsV2. */
export interface BucketPage {
  readonly contents: readonly { readonly key: string; readonly object: KeptObject }[];
  readonly folders: readonly string[];
  /** The last key or folder of the page, when there is more. */
  readonly next: string | null;
}

/** The objects of a bucket and its uploads in parts. A change is one step. */
export class Bucket {
  readonly objects = new Map<string, KeptObject>();
  readonly uploads = new Map<string, { readonly key: string; readonly parts: Map<number, KeptObject> }>();

  put(key: string, body: Buffer): KeptObject {
    const object = { body, etag: `"${createHash("md5").update(body).update(randomBytes(4)).digest("hex")}"` };
    this.objects.set(key, object);
    return object;
  }

  beginUpload(key: string): string {
    const id = randomBytes(8).toString("hex");
    this.uploads.set(id, { key, parts: new Map() });
    return id;
  }

  putPart(id: string, number: number, body: Buffer): KeptObject | null {
    const upload = this.uploads.get(id);
    if (upload === undefined) return null;
    const part = { body, etag: `"${createHash("md5").update(body).digest("hex")}"` };
    upload.parts.set(number, part);
    return part;
  }

  /** Null when there is no such upload, or a part is not there. */
  completeUpload(id: string, numbers: readonly number[]): KeptObject | null {
    const upload = this.uploads.get(id);
    const parts = numbers.map((number) => upload?.parts.get(number));
    if (upload === undefined || parts.includes(undefined)) return null;
    this.uploads.delete(id);
    return this.put(upload.key, Buffer.concat(parts.flatMap((part) => part?.body ?? [])));
  }

  list(prefix: string, delimiter: string, after: string, limit: number): BucketPage {
    const contents: { key: string; object: KeptObject }[] = [];
    const folders: string[] = [];
    let last = after;
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const key of keys) {
      const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      const folder = end < 0 ? null : key.slice(0, end + delimiter.length);
      if (folder === null ? key <= after : folder <= after || folders.includes(folder)) continue;
      if (contents.length + folders.length >= limit) return { contents, folders, next: last };
      const object = this.objects.get(key);
      if (folder !== null) folders.push(folder);
      else if (object !== undefined) contents.push({ key, object });
      last = folder ?? key;
    }
    return { contents, folders, next: null };
  }
}
