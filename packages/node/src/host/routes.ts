import type { NodeRef, SessionKey, SessionRecord } from "@sojourn/core";

/** Who is believed to own a session. Routing only: acting needs the directory [1]. */
export interface Route {
  readonly owner: NodeRef;
  readonly epoch: number;
}

/** A bounded cache of routes that never goes back in epoch; the least recently changed goes first. */
export class Routes {
  readonly #max: number;
  readonly #routes = new Map<SessionKey, Route>();
  /** Newest epoch seen per session; outlives a route that turned out wrong [9]. */
  readonly #fences = new Map<SessionKey, number>();

  constructor(max: number) {
    this.#max = max;
  }

  get(session: SessionKey): Route | undefined {
    return this.#routes.get(session);
  }

  fence(session: SessionKey): number {
    return this.#fences.get(session) ?? 0;
  }

  /** @returns false when something newer is known */
  learn(session: SessionKey, owner: NodeRef, epoch: number): boolean {
    if (epoch < this.fence(session)) return false;
    const known = this.#routes.get(session);
    if (known !== undefined && known.epoch === epoch && known.owner === owner) return true;
    this.raiseFence(session, epoch);
    put(this.#routes, session, { owner, epoch }, this.#max);
    return true;
  }

  raiseFence(session: SessionKey, epoch: number): void {
    if (epoch > this.fence(session)) put(this.#fences, session, epoch, this.#max);
  }

  learnRecord(session: SessionKey, record: SessionRecord): void {
    if (record.ended) this.forget(session);
    else this.learn(session, record.owner, record.epoch);
  }

  forget(session: SessionKey): void {
    this.#routes.delete(session);
  }
}

function put<V>(map: Map<SessionKey, V>, key: SessionKey, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
