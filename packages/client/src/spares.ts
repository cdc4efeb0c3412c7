import type { Scheduled } from "@sojourn/core";
import type { Channel } from "./channel.js";
import type { ClientEnv } from "./ports.js";

/** Open sockets that the link has left, kept for a while for its return. */
export class Spares {
  readonly #env: ClientEnv;
  /** In the order they were left. */
  readonly #kept = new Map<Channel, Scheduled>();

  constructor(env: ClientEnv) {
    this.#env = env;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Keeps an open channel; the oldest one makes room. */
  put(channel: Channel): void {
    const { clock, limits } = this.#env;
    this.#kept.set(
      channel,
      clock.schedule(limits.spareSocketMs, () => this.#drop(channel)),
    );
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.maxSpareSockets) break;
      this.#drop(oldest);
    }
  }

  /** Hands out the channel to an endpoint; it is no longer a spare. */
  take(endpoint: string): Channel | undefined {
    for (const channel of this.#kept.keys()) {
      if (channel.endpoint === endpoint) {
        this.forget(channel);
        return channel;
      }
    }
    return undefined;
  }

  /** The channel is in use again or has died. */
  forget(channel: Channel): void {
    this.#kept.get(channel)?.cancel();
    this.#kept.delete(channel);
  }

  clear(): void {
    for (const channel of this.#kept.keys()) this.#drop(channel);
  }

  #drop(channel: Channel): void {
    this.forget(channel);
    channel.close();
  }
}
