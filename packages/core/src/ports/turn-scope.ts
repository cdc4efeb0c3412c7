/**
 * Says which turn the running code belongs to, also after an `await`.
 * Contract: inside `run(turn, fn)` and in everything asynchronous that `fn` started, `current()` is `turn`; elsewhere it is
 * undefined or another turn. Node's implementation is AsyncLocalStorage.
 */
export interface TurnScope {
  run<T>(turn: object, fn: () => T): T;
  current(): object | undefined;
}
