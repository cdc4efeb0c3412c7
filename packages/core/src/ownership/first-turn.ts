import { nodeIdOf } from "../names.js";
import type { TurnInput } from "../session/types.js";
import type { OwnerStart } from "./role.js";

type Cause = OwnerStart["cause"];

/** Whether the owner before may have shown clients turns that a session which begins here in this way does not have. */
export function mayLackTurns(cause: Cause, eventual: boolean): boolean {
  if (cause.kind === "restored") return !cause.complete;
  return eventual && (cause.kind === "promoted" || (cause.kind === "resumed" && cause.heirLost));
}

/**
 * What the application is told of how its session comes to run here; null when it ran here before.
 * @param storeStalenessMs for how long at most the session store had not heard what the owner before did
 */
export function firstTurn(cause: Cause, eventual: boolean, storeStalenessMs: number): TurnInput | null {
  switch (cause.kind) {
    case "resumed":
      return null;
    case "taken":
      return { kind: "afterMove", from: nodeIdOf(cause.from), blackoutMs: cause.blackoutMs };
    case "created":
      return { kind: "wake", reason: cause.kind, stalenessMs: 0 };
    case "promoted":
      return { kind: "wake", reason: cause.kind, stalenessMs: eventual ? cause.stalenessMs : 0 };
    case "restored":
      return { kind: "wake", reason: cause.kind, stalenessMs: cause.complete ? 0 : storeStalenessMs };
  }
}
