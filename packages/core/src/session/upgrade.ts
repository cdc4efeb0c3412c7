import { SojournError } from "../errors/sojourn-error.js";
import { copyPlain } from "../state/plain.js";
import type { SessionBody } from "./body.js";
import type { SessionDefinition } from "./definition.js";

/** Whether the definition's upgrades lead from that version to its own. */
export function leadsTo(definition: SessionDefinition, stateVersion: number): boolean {
  if (!Number.isSafeInteger(stateVersion) || stateVersion < 1 || stateVersion > definition.version) return false;
  for (let v = stateVersion; v < definition.version; v++) if (!definition.upgrades.has(v)) return false;
  return true;
}

/**
 * A state brought to the definition's version, step by step; the one given is left as it is.
 * @throws SojournError `E_STATE_VERSION`
 */
export function upgradeState(body: Pick<SessionBody, "definition" | "env">, raw: object, stateVersion: number): object {
  const { definition, env } = body;
  const facts = { stateVersion, definitionVersion: definition.version };
  if (!leadsTo(definition, stateVersion)) {
    throw new SojournError(
      "E_STATE_VERSION",
      `${definition.name} ${definition.version} cannot read a state of version ${stateVersion}`,
      facts,
    );
  }
  try {
    let state: unknown = copyPlain(raw, env.limits, "state");
    for (let v = stateVersion; v < definition.version; v++) state = definition.upgrades.get(v)?.(state);
    if (typeof state !== "object" || state === null) throw new TypeError("an upgrade did not return a state");
    return copyPlain(state, env.limits, "state");
  } catch (cause) {
    throw new SojournError("E_STATE_VERSION", `upgrading ${definition.name} from version ${stateVersion} failed`, facts, cause);
  }
}
