/**
 * Names under which a client hears about its connection (`on("handover", …)`). A session's own events share that name space,
 * so a session must not use these.
 */
export const LIFECYCLE_EVENTS = ["handover", "reset", "status", "problem", "close"] as const;

/** One of the names that a session's own events must not use. */
export type LifecycleEvent = (typeof LIFECYCLE_EVENTS)[number];

/** True when `name` belongs to the client's lifecycle. */
export function isLifecycleEvent(name: string): name is LifecycleEvent {
  return (LIFECYCLE_EVENTS as readonly string[]).includes(name);
}
