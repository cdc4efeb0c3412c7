import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { type Limits, SojournError } from "@sojourn/core";

/** When a put may happen. */
export type Condition = { readonly ifMatch: string } | { readonly ifNoneMatch: "*" };

/** An object with the tag of exactly this version of it. */
export interface Fetched {
  readonly body: Uint8Array;
  readonly etag: string;
}

interface ListQuery {
  readonly folders?: boolean;
  readonly token?: string;
  readonly startAfter?: string;
  readonly limit?: number;
}

/** A page of a list. */
export interface Listed {
  readonly keys: readonly string[];
  /** Folders, when they were asked for. */
  readonly folders: readonly string[];
  readonly next: string | null;
}

/**
 * The little that the store asks of S3, with so many requests at a time. Rejects with `E_STORE_FULL` or `E_STORE_UNAVAILABLE`, after
 * the client's own attempts.
 */
export class Objects {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #timeoutMs: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(client: S3Client, bucket: string, limits: Limits) {
    this.#client = client;
    this.#bucket = bucket;
    this.#timeoutMs = limits.storeTimeoutMs;
    this.#free = limits.maxStoreRequests;
  }

  /** The tag of what was put, or null when the condition did not hold. */
  async put(key: string, body: Uint8Array, condition?: Condition): Promise<string | null> {
    const conditions =
      condition === undefined ? {} : "ifMatch" in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: condition.ifNoneMatch };
    return this.#asked(
      async (options) => {
        const put = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ...conditions });
        return (await this.#client.send(put, options)).ETag ?? "";
      },
      // A condition on an object that is not there, or that another conditional put is just deciding.
      (status) => (condition !== undefined && (status === 412 || status === 409 || status === 404) ? null : undefined),
    );
  }

  async get(key: string): Promise<Fetched | null> {
    return this.#asked<Fetched | null>(
      async (options) => {
        const { Body, ETag } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }), options);
        return { body: (await Body?.transformToByteArray()) ?? new Uint8Array(0), etag: ETag ?? "" };
      },
      (status) => (status === 404 ? null : undefined),
    );
  }

  async delete(key: string): Promise<void> {
    await this.#asked<unknown>(
      (options) => this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key }), options),
      (status) => (status === 404 ? null : undefined),
    );
  }

  async deleteAll(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map((key) => this.delete(key)));
  }

  /** One page of keys; with `folders` those with another slash come as the folder they lie in. */
  async list(prefix: string, query: ListQuery = {}): Promise<Listed> {
    const { folders = false, token, startAfter, limit } = query;
    return this.#asked(async (options) => {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: prefix,
          ...(folders ? { Delimiter: "/" } : {}),
          ...(token === undefined ? {} : { ContinuationToken: token }),
          ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
          ...(limit === undefined ? {} : { MaxKeys: limit }),
        }),
        options,
      );
      return {
        keys: (page.Contents ?? []).flatMap(({ Key }) => Key ?? []),
        folders: (page.CommonPrefixes ?? []).flatMap(({ Prefix }) => Prefix ?? []),
        next: page.IsTruncated === true ? (page.NextContinuationToken ?? null) : null,
      };
    });
  }

  /** All keys under a prefix. */
  async listAll(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for (let token: string | null | undefined; token !== null; ) {
      const page: Listed = await this.list(prefix, token === undefined ? {} : { token });
      keys.push(...page.keys);
      token = page.next;
    }
    return keys;
  }

  /** Uploads parts as they come; visible only when all are there and `last` has resolved. What either throws, and any failure, aborts it. */
  async putParts(key: string, parts: AsyncIterable<Uint8Array>, last: () => Promise<void>): Promise<void> {
    const target = { Bucket: this.#bucket, Key: key };
    const { UploadId } = await this.#asked((options) => this.#client.send(new CreateMultipartUploadCommand(target), options));
    const upload = { ...target, UploadId };
    try {
      const done: { PartNumber: number; ETag: string | undefined }[] = [];
      for await (const part of parts) {
        const PartNumber = done.length + 1;
        const sent = await this.#asked((options) =>
          this.#client.send(new UploadPartCommand({ ...upload, PartNumber, Body: part }), options),
        );
        done.push({ PartNumber, ETag: sent.ETag });
      }
      await last();
      await this.#asked((options) =>
        this.#client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: done } }), options),
      );
    } catch (error) {
      await this.#asked((options) => this.#client.send(new AbortMultipartUploadCommand(upload), options)).catch(() => undefined);
      throw error;
    }
  }

  async #asked<T>(
    request: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    expected: (status: number | undefined) => T | undefined = () => undefined,
  ): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await request({ abortSignal: AbortSignal.timeout(this.#timeoutMs) });
    } catch (cause) {
      const result = expected(statusOf(cause));
      if (result !== undefined) return result;
      throw asStoreError(cause);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

function statusOf(cause: unknown): number | undefined {
  if (typeof cause !== "object" || cause === null || !("$metadata" in cause)) return undefined;
  const metadata = cause.$metadata as { readonly httpStatusCode?: number } | undefined;
  return metadata?.httpStatusCode;
}

function asStoreError(cause: unknown): SojournError {
  const { name, message } = cause instanceof Error ? cause : { name: "", message: String(cause) };
  if (statusOf(cause) === 507 || /QuotaExceeded|StorageFull|InsufficientStorage|NoSpace/.test(name)) {
    return new SojournError("E_STORE_FULL", `the object store has no room: ${name}`, {}, cause);
  }
  return new SojournError(
    "E_STORE_UNAVAILABLE",
    `the object store did not do it: ${name} ${message}`,
    { status: statusOf(cause) ?? null },
    cause,
  );
}
