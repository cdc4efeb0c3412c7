/** What stands behind a proxy. */
export interface Tracked {
  readonly raw: object;
}

/**
 * Proxies of every tracked state in the process and what stands behind each. Weak and keyed by identity, so several nodes in
 * one process do not meet in it; it is what lets a proxy of one session be recognised when it is assigned to another.
 */
const tracked = /* @__PURE__ */ new WeakMap<object, Tracked>();

/** Makes a proxy known. */
export function registerProxy(proxy: object, behind: Tracked): void {
  tracked.set(proxy, behind);
}

/** What stands behind `value` when it is a proxy of tracked state. */
export function trackedBehind(value: object): Tracked | undefined {
  return tracked.get(value);
}

/** The plain container behind a proxy; any other object as it is. Whoever writes to it writes past the tracking. */
export function rawOf(value: object): object {
  return tracked.get(value)?.raw ?? value;
}
