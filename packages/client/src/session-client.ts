import { SojournError } from "@sojourn/core";
import { Emitter } from "./emitter.js";
import { Link, type LinkOptions, type Status } from "./link.js";
import type { ClientEnv } from "./ports.js";
import type { CallsOf, EventMapOf, LifecycleEventMap } from "./types.js";

/** What a client counted since it was made. */
export interface ClientStats {
  /** Sockets that were opened, successfully or not. */
  readonly sockets: number;
  readonly spareSockets: number;
  readonly handovers: number;
  /** Calls without an answer. */
  readonly openCalls: number;
  /** Inputs that the session has not confirmed. */
  readonly unackedInputs: number;
  /** Messages received in order on this link. */
  readonly received: number;
}

/** Everything that can be listened to: the session's events and the lifecycle's. */
export type AllEvents<D> = Omit<EventMapOf<D>, keyof LifecycleEventMap> & LifecycleEventMap;

/** A client's end of one session. `D` is the type of the session's definition. */
export class SessionClient<D = unknown> {
  /** The session's actions: `client.call.move({ x: 1 })`. Each call is carried out at most once, and its answer comes once. */
  readonly call: CallsOf<D>;
  readonly #emitter: Emitter;
  readonly #link: Link;

  /** For simulators; applications use `connect`. */
  constructor(env: ClientEnv, options: LinkOptions) {
    this.#emitter = new Emitter();
    const link = new Link(env, options, (name, value) => this.#emitter.emit(name, value));
    this.#link = link;
    this.call = callsOf(link) as CallsOf<D>;
  }

  /** Listens until `off`. Returns the way to stop. */
  on<K extends keyof AllEvents<D> & string>(name: K, listener: (value: AllEvents<D>[K]) => void): () => void {
    this.#emitter.on(name, listener as (value: never) => void);
    return () => this.off(name, listener);
  }

  off<K extends keyof AllEvents<D> & string>(name: K, listener: (value: AllEvents<D>[K]) => void): void {
    this.#emitter.off(name, listener as (value: never) => void);
  }

  /** Listens for the next one only. Returns the way to stop. */
  once<K extends keyof AllEvents<D> & string>(name: K, listener: (value: AllEvents<D>[K]) => void): () => void {
    const stop = this.on(name, (value) => {
      stop();
      listener(value);
    });
    return stop;
  }

  get status(): Status {
    return this.#link.status;
  }

  /** False when the latest welcome did not continue the link: what was under way then is lost, and `reset` said so. */
  get recovered(): boolean {
    return this.#link.recovered;
  }

  /** Epoch of the newest owner heard of. */
  get epoch(): number {
    return this.#link.epoch;
  }

  /** Id of the node that owns the session. */
  get owner(): string {
    return this.#link.owner;
  }

  /** The endpoint in use; null while there is none. */
  get endpoint(): string | null {
    return this.#link.endpoint;
  }

  stats(): ClientStats {
    const { openCalls, unackedInputs, spareSockets, lastOut } = this.#link.counts;
    return { sockets: this.#link.sockets, handovers: this.#link.handovers, spareSockets, openCalls, unackedInputs, received: lastOut };
  }

  /** Leaves the session. Calls without an answer reject with `E_CLIENT_CLOSED`. */
  close(): void {
    this.#link.close(true);
  }

  /** Goes away without leaving, as when the device loses power: the session keeps the link for its grace time. */
  detach(): void {
    this.#link.close(false);
  }

  /**
   * Resolves once the session has welcomed the client.
   * @throws SojournError what refused the client, or `E_CONNECT_FAILED` after `connectTimeoutMs`
   */
  static open<D>(env: ClientEnv, options: LinkOptions): Promise<SessionClient<D>> {
    return new Promise((resolve, reject) => {
      const client = new SessionClient<D>(env, options);
      const timer = env.clock.schedule(env.limits.connectTimeoutMs, () => client.#link.giveUp());
      const settle = (status: Status, error: SojournError | null): void => {
        timer.cancel();
        client.#emitter.off("status", onStatus);
        client.#emitter.off("close", onClose);
        if (status === "live") resolve(client);
        else reject(error ?? new SojournError("E_CLIENT_CLOSED"));
      };
      const onStatus = (status: Status): void => {
        if (status === "live") settle(status, null);
      };
      const onClose = (error: SojournError | null): void => settle("closed", error);
      client.#emitter.on("status", onStatus);
      client.#emitter.on("close", onClose);
    });
  }
}

/** One function per action name, made on first use. `then` is none, so that the object can be awaited by accident. */
function callsOf(link: Link): object {
  const made = new Map<string, (argument?: unknown) => Promise<unknown>>();
  return new Proxy(Object.create(null) as object, {
    get(_, name) {
      if (typeof name !== "string" || name === "then") return undefined;
      let call = made.get(name);
      if (call === undefined) {
        call = (argument) => link.call(name, argument);
        made.set(name, call);
      }
      return call;
    },
  });
}
