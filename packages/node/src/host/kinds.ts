import {
  type ChangeTimer,
  type Clock,
  createRecordCodec,
  createSessionFactory,
  kindInKey,
  type Limits,
  type NodeRef,
  needsStore,
  parseSessionKey,
  type Random,
  type SessionDefinition,
  type SessionEnv,
  type SessionFactory,
  type SessionKey,
  type SessionStore,
  SojournError,
  type StateCodec,
  type Strategy,
  type TurnScope,
} from "@sojourn/core";

/**
 * A kind whose strategy keeps replicas in a store can only run where there is one.
 * @throws SojournError `E_CONFIG_INVALID`
 */
export function requireStore(definitions: readonly SessionDefinition[], store: SessionStore | null): void {
  const without = store === null ? definitions.find(({ strategy }) => needsStore(strategy)) : undefined;
  if (without === undefined) return;
  const { name, strategy } = without;
  throw new SojournError("E_CONFIG_INVALID", `"${name}" has the strategy "${strategy}", which needs a session store; the node has none`);
}

/** What the kinds of a node share. */
export interface KindsOptions {
  readonly self: NodeRef;
  readonly definitions: readonly SessionDefinition[];
  readonly clock: Clock;
  readonly random: Random;
  readonly scope: TurnScope;
  readonly limits: Limits;
  readonly pullCache: SessionEnv["pullCache"];
  readonly onHandlerError: (session: string, where: string, error: unknown) => void;
  /** Times some changes of a kind. */
  readonly timerOf: (kind: string) => ChangeTimer | undefined;
}

interface Kind {
  readonly factory: SessionFactory;
  readonly codec: StateCodec;
}

/** The kinds of session that a node can run in its present life: one factory and one codec each. */
export class Kinds {
  readonly #kinds = new Map<string, Kind>();

  /** @throws SojournError `E_DEFINITION_INVALID` when two definitions share a name */
  constructor(options: KindsOptions) {
    const { self, limits, clock, random, scope, pullCache, onHandlerError, timerOf } = options;
    for (const definition of options.definitions) {
      if (this.#kinds.has(definition.name)) {
        throw new SojournError("E_DEFINITION_INVALID", `two session definitions are named "${definition.name}"`);
      }
      const codec = createRecordCodec({
        lineage: `${self}/${definition.name}`,
        maxSharedShapes: limits.maxSharedShapes,
        maxCodecLineages: limits.maxCodecLineages,
        maxDepth: limits.maxStateDepth + 8,
      });
      const env: SessionEnv = { self, clock, random, scope, codec, limits, pullCache, onHandlerError, changes: timerOf(definition.name) };
      this.#kinds.set(definition.name, { codec, factory: createSessionFactory(definition, env) });
    }
  }

  factoryOf(key: SessionKey): SessionFactory | null {
    return this.#of(key)?.factory ?? null;
  }

  codecOf(key: SessionKey): StateCodec | null {
    return this.#of(key)?.codec ?? null;
  }

  /** @throws SojournError `E_SESSION_KEY_INVALID`, `E_KIND_UNKNOWN` */
  require(key: SessionKey): SessionFactory {
    const { kind } = parseSessionKey(key);
    const found = this.#kinds.get(kind);
    if (found !== undefined) return found.factory;
    const known = [...this.#kinds.keys()].join(", ") || "none";
    throw new SojournError("E_KIND_UNKNOWN", `no session kind "${kind}" here; this node has: ${known}`, { kind });
  }

  /** How new sessions of a kind begin. @throws SojournError `E_SESSION_KEY_INVALID`, `E_KIND_UNKNOWN` */
  beginning(key: SessionKey): { readonly strategy: Strategy; readonly stored: boolean } {
    const { strategy, durability } = this.require(key);
    return { strategy, stored: strategy === "hybrid" && durability === "strong" };
  }

  #of(key: SessionKey): Kind | undefined {
    return this.#kinds.get(kindInKey(key));
  }
}
