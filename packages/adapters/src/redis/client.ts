import { SojournError } from "@sojourn/core";

/** What the store needs of a client of `redis` (node-redis, 5 or later): a connected one. */
export interface NodeRedisClient {
  sendCommand(args: readonly (string | Buffer)[], options: { readonly typeMapping: Readonly<Record<number, unknown>> }): Promise<unknown>;
}

/** What the store needs of a client of `ioredis`. */
export interface IoredisClient {
  callBuffer(command: string, ...args: (string | Buffer)[]): Promise<unknown>;
}

/** A client of Redis that the application made and will close. */
export type RedisClient = NodeRedisClient | IoredisClient;

/** One answer of Redis: strings come as bytes. */
export type Reply = Buffer | string | number | null | readonly Reply[];

/** Sends one command. */
export type SendCommand = (...args: (string | Buffer)[]) => Promise<Reply>;

const BLOB_STRING = 36;

/**
 * Makes the two clients the same: strings as bytes, an answer within the limit, errors with codes.
 * A rejected promise is a `SojournError` `E_STORE_FULL` or `E_STORE_UNAVAILABLE`, with the client's own as its cause.
 */
export function commandsOf(client: RedisClient, timeoutMs: number): SendCommand {
  const typeMapping = { [BLOB_STRING]: Buffer };
  const send = (args: (string | Buffer)[]): Promise<unknown> => {
    if (!("callBuffer" in client)) return client.sendCommand(args, { typeMapping });
    const [command, ...rest] = args;
    return client.callBuffer(String(command), ...rest);
  };
  return async (...args) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    });
    try {
      return (await Promise.race([send(args), late])) as Reply;
    } catch (cause) {
      throw asStoreError(cause);
    } finally {
      clearTimeout(timer);
    }
  };
}

function asStoreError(cause: unknown): SojournError {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/\bOOM\b/.test(text) || /No space left/.test(text)) return new SojournError("E_STORE_FULL", `Redis has no room: ${text}`, {}, cause);
  return new SojournError("E_STORE_UNAVAILABLE", `Redis did not do it: ${text}`, {}, cause);
}

/** A string of an answer. */
export function textOf(reply: Reply | undefined): string {
  return Buffer.isBuffer(reply) ? reply.toString() : String(reply ?? "");
}

/** A list of an answer. */
export function listOf(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? reply : [];
}
