import type { SessionDefinition } from "./definition.js";

const isAsync = (fn: unknown): boolean =>
  typeof fn === "function" && (fn as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag] === "AsyncFunction";

/** Whether a kind is seen to have asynchronous turns by the functions it is made of. A plain function may return a promise too. */
export function hasAsyncHandlers({ actions, timers, hooks }: SessionDefinition): boolean {
  for (const { handler, schema } of actions.values()) if (isAsync(handler) || isAsync(schema?.["~standard"].validate)) return true;
  return [...timers.values(), ...Object.values(hooks)].some(isAsync);
}
