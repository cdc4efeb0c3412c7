import { AsyncLocalStorage } from "node:async_hooks";
import type { TurnScope } from "@sojourn/core";

/** Follows a turn through awaits and callbacks with AsyncLocalStorage. */
export function createTurnScope(): TurnScope {
  const storage = new AsyncLocalStorage<object>();
  return {
    run: (turn, fn) => storage.run(turn, fn),
    current: () => storage.getStore(),
  };
}
