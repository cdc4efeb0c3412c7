import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { SojournError } from "@sojourn/core";

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Makes the check of bearer tokens; the time it takes says nothing about the token. */
export function tokenCheck(token: string): (request: IncomingMessage) => void {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return ({ headers }) => {
    if (!timingSafeEqual(digest(headers.authorization ?? ""), expected)) {
      throw new SojournError("E_ADMIN_REFUSED", "the bearer token is missing or wrong");
    }
  };
}

/** Without a token, a page in a browser must not reach the API by a name that it has pointed at this machine. */
export function checkHostName({ headers }: IncomingMessage): void {
  const name = (headers.host ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  if (name !== "localhost" && isIP(name) === 0) {
    throw new SojournError("E_ADMIN_REFUSED", `without a token the admin API answers only by address or as localhost, not as "${name}"`);
  }
}

/**
 * Reads a JSON body. Only `application/json` is taken, which a browser does not send to a foreign site without asking it first.
 * @throws SojournError `E_CONFIG_INVALID`, `E_FRAME_TOO_LARGE`
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<object> {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") throw new SojournError("E_CONFIG_INVALID", "the body must be application/json");
  const chunks: Buffer[] = [];
  let size = 0;
  // A request that is too large is answered, so its connection must outlive the reading.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new SojournError("E_FRAME_TOO_LARGE", `the body is larger than ${maxBytes} bytes`, { maxBytes });
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new SojournError("E_CONFIG_INVALID", "the body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SojournError("E_CONFIG_INVALID", "the body must be a JSON object");
  }
  return value;
}
