import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeAwsChunks } from "./aws-chunks.js";
import { Bucket, type KeptObject } from "./bucket.js";

/** What a request asks, for faults to choose by. */
export interface S3Request {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
}

/** What goes wrong with a request: an answer instead, the connection lost before anything is done, or after. */
export type S3Fault = "500" | "503" | "507" | "reset before" | "reset after";

/** How the server behaves. */
export interface S3ServerOptions {
  /** Whether `If-Match` and `If-None-Match` are carried out. Default true; otherwise they are passed over, as some servers do. */
  readonly conditions?: boolean;
}

/**
 * A small S3 server on a loopback port, in memory, with path-style addresses and without authentication: objects with conditional puts,
 * ListObjectsV2, uploads in parts, and faults. One bucket, of whatever name.
 */
export class S3Server {
  readonly bucket = new Bucket();
  /** Asked for every request; null lets it go on. */
  fault: (request: S3Request) => S3Fault | null = () => null;
  /** Requests so far, faults too. */
  requests = 0;
  readonly #conditions: boolean;
  readonly #server: Server;

  constructor({ conditions = true }: S3ServerOptions = {}) {
    this.#conditions = conditions;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  /** Starts it; its endpoint. */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://host");
    const [, , ...rest] = url.pathname.split("/");
    const asked = { method: request.method ?? "GET", key: decodeURIComponent(rest.join("/")), query: url.searchParams };
    const fault = this.fault(asked);
    if (fault === "reset before") {
      request.socket.destroy();
      return;
    }
    if (fault === "500" || fault === "503" || fault === "507") {
      const code = { 500: "InternalError", 503: "SlowDown", 507: "InsufficientStorage" }[fault];
      return answerError(response, Number(fault), code);
    }
    const body = decodeAwsChunks(Buffer.concat(chunks), request.headers);
    const respond = this.#carryOut(asked, body, request.headers);
    // It was done; nobody hears of it.
    if (fault === "reset after") request.socket.destroy();
    else respond(response);
  }

  #carryOut({ method, key, query }: S3Request, body: Buffer, headers: IncomingMessage["headers"]): (response: ServerResponse) => void {
    if (key === "") return this.#list(query);
    const uploadId = query.get("uploadId");
    if (method === "POST" && query.has("uploads")) {
      return xml(`<InitiateMultipartUploadResult><UploadId>${this.bucket.beginUpload(key)}</UploadId></InitiateMultipartUploadResult>`);
    }
    if (method === "PUT" && uploadId !== null) {
      const part = this.bucket.putPart(uploadId, Number(query.get("partNumber")), body);
      return part === null ? error(404, "NoSuchUpload") : empty(200, part);
    }
    if (method === "POST" && uploadId !== null) {
      const numbers = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber>/g)].map(([, number]) => Number(number));
      const whole = this.bucket.completeUpload(uploadId, numbers);
      if (whole === null) return error(400, "InvalidPart");
      return xml(`<CompleteMultipartUploadResult><ETag>${escapeXml(whole.etag)}</ETag></CompleteMultipartUploadResult>`);
    }
    if (method === "DELETE" && uploadId !== null) {
      this.bucket.uploads.delete(uploadId);
      return empty(204);
    }
    const found = this.bucket.objects.get(key);
    if (method === "PUT") {
      if (this.#conditions && !holds(headers, found)) return error(412, "PreconditionFailed");
      return empty(200, this.bucket.put(key, body));
    }
    if (method === "DELETE") {
      this.bucket.objects.delete(key);
      return empty(204);
    }
    if (method !== "GET") return error(405, "MethodNotAllowed");
    if (found === undefined) return error(404, "NoSuchKey");
    return (response) => response.writeHead(200, { etag: found.etag, "content-length": found.body.length }).end(found.body);
  }

  #list(query: URLSearchParams): (response: ServerResponse) => void {
    const token = query.get("continuation-token");
    const after = token === null ? (query.get("start-after") ?? "") : Buffer.from(token, "base64url").toString();
    const limit = Math.min(1_000, Number(query.get("max-keys") ?? 1_000));
    const page = this.bucket.list(query.get("prefix") ?? "", query.get("delimiter") ?? "", after, limit);
    const shown = (text: string): string => (query.get("encoding-type") === "url" ? encodeURIComponent(text) : escapeXml(text));
    const contents = page.contents.map(
      ({ key, object }) =>
        `<Contents><Key>${shown(key)}</Key><ETag>${escapeXml(object.etag)}</ETag><Size>${object.body.length}</Size></Contents>`,
    );
    const folders = page.folders.map((folder) => `<CommonPrefixes><Prefix>${shown(folder)}</Prefix></CommonPrefixes>`);
    const next = page.next === null ? "" : `<NextContinuationToken>${Buffer.from(page.next).toString("base64url")}</NextContinuationToken>`;
    return xml(
      `<ListBucketResult><IsTruncated>${page.next !== null}</IsTruncated>${next}${contents.join("")}${folders.join("")}</ListBucketResult>`,
    );
  }
}

function holds(headers: IncomingMessage["headers"], found: KeptObject | undefined): boolean {
  if (headers["if-none-match"] === "*" && found !== undefined) return false;
  return headers["if-match"] === undefined || headers["if-match"] === found?.etag;
}

function empty(status: number, object?: KeptObject): (response: ServerResponse) => void {
  return (response) => response.writeHead(status, object === undefined ? {} : { etag: object.etag }).end();
}

function xml(text: string): (response: ServerResponse) => void {
  return (response) => response.writeHead(200, { "content-type": "application/xml" }).end(`<?xml version="1.0" encoding="UTF-8"?>${text}`);
}

function error(status: number, code: string): (response: ServerResponse) => void {
  return (response) => answerError(response, status, code);
}

function answerError(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/xml" }).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
