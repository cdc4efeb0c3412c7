import { SojournError } from "../errors/sojourn-error.js";
import { copyPlain } from "../state/plain.js";
import { hasAsyncHandlers } from "./async-handlers.js";
import { createBody } from "./body.js";
import type { SessionDefinition } from "./definition.js";
import { Session } from "./session.js";
import type { SessionFactory } from "./session-port.js";
import { decodeSnapshot } from "./snapshot.js";
import { TurnRunner } from "./turn-runner.js";
import type { SessionEnv } from "./types.js";
import { leadsTo, upgradeState } from "./upgrade.js";

/** Makes the sessions of one kind on one node. */
export function createSessionFactory(definition: SessionDefinition, env: SessionEnv): SessionFactory {
  const runner = new TurnRunner(env.scope, hasAsyncHandlers(definition));
  return {
    kind: definition.name,
    stateVersion: definition.version,
    priority: definition.priority,
    durability: definition.durability,
    strategy: definition.strategy,
    standbys: definition.standbys,
    failover: definition.failover,
    canRead: (stateVersion) => leadsTo(definition, stateVersion),
    create(key, anewEpoch) {
      const state: unknown = definition.state();
      if (typeof state !== "object" || state === null) {
        throw new SojournError("E_DEFINITION_INVALID", `state() of ${definition.name} must return an object`);
      }
      return new Session(createBody(key, definition, env, copyPlain(state, env.limits, "state"), anewEpoch), runner);
    },
    restore(key, snapshot, apart) {
      const body = decodeSnapshot(key, definition, env, snapshot, apart);
      // The state stays as it is until a turn runs here, because deltas of an owner with the older definition may still follow. That
      // it can be upgraded is tried at once, while the session still runs elsewhere. A newer one is held as it is: no turn runs on it here.
      if (body.stateVersion < definition.version) upgradeState(body, body.raw, body.stateVersion);
      return new Session(body, runner);
    },
  };
}
