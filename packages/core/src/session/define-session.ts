import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SojournError } from "../errors/sojourn-error.js";
import { STRATEGIES } from "../strategy/strategy.js";
import type { CacheClass, EventMap, SessionContext } from "./context.js";
import type { Action, Call, Handler, HookName, RunnableAction, SessionDefinition, SessionSpec } from "./definition.js";

const KIND = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const NAME = /^[^\s\p{Cc}]{1,64}$/u;
const HOOKS: readonly HookName[] = ["onCreate", "onJoin", "onLeave", "onWake", "onBeforeMove", "onAfterMove"];
const FIELDS = new Set<string>([
  "name",
  "version",
  "state",
  "events",
  "actions",
  "timers",
  "upgrade",
  "durability",
  "strategy",
  "standbys",
  "failover",
  "priority",
  "cache",
  ...HOOKS,
]);

const PRIORITIES = new Set<string>(["critical", "normal", "anonymous"]);

/** An action without argument. */
export function action<S, E, R>(schema: null, handler: (ctx: SessionContext<S, E>) => R): Action<S, E, Call<void, Awaited<R>>>;
/** An action whose argument is validated (and may be transformed) by any Standard Schema: zod, valibot, arktype … */
export function action<S, E, I, O, R>(
  schema: StandardSchemaV1<I, O>,
  handler: (ctx: SessionContext<S, E>, input: O) => R,
): Action<S, E, Call<I, Awaited<R>>>;
export function action(schema: StandardSchemaV1 | null, handler: (ctx: never, input: never) => unknown): Action<never, never, unknown> {
  return { schema, handler } as Action<never, never, unknown>;
}

function refuse(what: string, problem: string): never {
  throw new SojournError("E_DEFINITION_INVALID", `session definition ${what}: ${problem}`, { definition: what });
}

function entriesOf(what: string, field: string, value: unknown): [string, unknown][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(what, `${field} must be an object`);
  return Object.entries(value);
}

function checkName(what: string, kind: string, name: string): void {
  if (!NAME.test(name)) refuse(what, `"${name.slice(0, 80)}" is not a usable name for ${kind} (1–64 characters without spaces)`);
}

function readActions(what: string, actions: unknown): Map<string, RunnableAction> {
  const table = new Map<string, RunnableAction>();
  const declared = typeof actions === "function" ? actions(action) : actions;
  if (declared === undefined) refuse(what, "actions are missing");
  for (const [name, value] of entriesOf(what, "actions", declared)) {
    checkName(what, "an action", name);
    const entry = value as Partial<RunnableAction> | null;
    if (typeof entry !== "object" || entry === null || typeof entry.handler !== "function") {
      refuse(what, `actions.${name} must be made by action(schema, handler)`);
    }
    const schema = entry.schema;
    if (schema !== null && typeof schema?.["~standard"]?.validate !== "function") {
      refuse(what, `the schema of actions.${name} must be null or a Standard Schema (zod, valibot, arktype …)`);
    }
    table.set(name, { schema, handler: entry.handler });
  }
  return table;
}

function readFunctions(what: string, field: string, value: unknown): Map<string, Handler> {
  const table = new Map<string, Handler>();
  for (const [name, handler] of entriesOf(what, field, value)) {
    checkName(what, field, name);
    if (typeof handler !== "function") refuse(what, `${field}.${name} must be a function`);
    table.set(name, handler as Handler);
  }
  return table;
}

function readUpgrades(what: string, version: number, value: unknown): Map<number, (old: unknown) => unknown> {
  const table = new Map<number, (old: unknown) => unknown>();
  for (const [key, step] of readFunctions(what, "upgrade", value)) {
    const from = Number(key);
    if (!Number.isInteger(from) || from < 1 || from >= version) {
      refuse(what, `upgrade.${key} must be keyed by an older version, a whole number from 1 to ${version - 1}`);
    }
    table.set(from, step as unknown as (old: unknown) => unknown);
  }
  return table;
}

function readCacheClasses(what: string, value: unknown): Map<string, CacheClass> {
  const table = new Map<string, CacheClass>();
  for (const [key, cacheClass] of entriesOf(what, "cache", value)) {
    if (cacheClass !== "carry" && cacheClass !== "lazy" && cacheClass !== "rebuild") {
      refuse(what, `cache.${key} must be "carry", "lazy" or "rebuild"`);
    }
    table.set(key, cacheClass);
  }
  return table;
}

/**
 * Declares one kind of session.
 * @throws SojournError `E_DEFINITION_INVALID` with what is wrong and where
 */
export function defineSession<S extends object, A, E = EventMap>(spec: SessionSpec<S, A, E>): SessionDefinition<S, A, E> {
  const { name, version, state, standbys = null, failover = "suspicion", priority = "normal" } = spec;
  const auto = spec.strategy === "auto";
  const strategy = spec.strategy === undefined || spec.strategy === "auto" ? "replica" : spec.strategy;
  const { durability = strategy === "snapshot" ? "eventual" : "strong" } = spec;
  if (typeof name !== "string" || !KIND.test(name)) {
    refuse(`"${String(name).slice(0, 80)}"`, "name must be a letter followed by up to 63 letters, digits, _ or -");
  }
  if (!Number.isSafeInteger(version) || version < 1) refuse(name, `version must be a whole number ≥ 1, got ${version}`);
  for (const field of Object.keys(spec)) if (!FIELDS.has(field)) refuse(name, `unknown field "${field}"`);
  if (typeof state !== "function") refuse(name, "state must be a function that returns a fresh state");
  if (durability !== "strong" && durability !== "eventual") refuse(name, `durability must be "strong" or "eventual"`);
  if (!STRATEGIES.includes(strategy)) refuse(name, `strategy must be "replica", "snapshot", "hybrid" or "auto"`);
  if (strategy === "snapshot" && durability === "strong") {
    refuse(name, `strategy "snapshot" cannot have durability "strong": a turn would wait for a whole snapshot; "hybrid" can`);
  }
  if (standbys !== null && !(Number.isInteger(standbys) && standbys >= 0 && standbys <= 8)) {
    refuse(name, "standbys must be a whole number from 0 to 8");
  }
  if (failover !== "lease" && failover !== "suspicion") refuse(name, `failover must be "lease" or "suspicion"`);
  if (!PRIORITIES.has(priority)) refuse(name, `priority must be "critical", "normal" or "anonymous"`);
  const hooks: Partial<Record<HookName, Handler>> = {};
  for (const hook of HOOKS) {
    const handler: unknown = spec[hook];
    if (handler === undefined) continue;
    if (typeof handler !== "function") refuse(name, `${hook} must be a function`);
    hooks[hook] = handler as Handler;
  }
  return {
    name,
    version,
    durability,
    strategy,
    auto,
    standbys,
    failover,
    priority,
    state,
    actions: readActions(name, spec.actions),
    timers: readFunctions(name, "timers", spec.timers),
    hooks,
    upgrades: readUpgrades(name, version, spec.upgrade),
    cacheClasses: readCacheClasses(name, spec.cache),
  };
}
