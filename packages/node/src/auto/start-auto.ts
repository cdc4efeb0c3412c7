import { type Clock, type Limits, type SessionDefinition, SojournError } from "@sojourn/core";
import type { NodeRuntime } from "../host/node-runtime.js";
import type { Profiler } from "../profile/profiler.js";
import { type AutoOptions, AutoStrategy } from "./auto-strategy.js";

/** The node that chooses. */
export interface AutoNode {
  readonly id: string;
  readonly definitions: readonly SessionDefinition[];
  readonly runtime: NodeRuntime;
  readonly profiler: Profiler | null;
  readonly hasStore: boolean;
  readonly clock: Clock;
  readonly limits: Limits;
}

/**
 * Who chooses goes by the profile.
 * @throws SojournError `E_CONFIG_INVALID` when a kind asks for a choice and there is none
 */
export function requireProfile(definitions: readonly SessionDefinition[], profiled: boolean): void {
  const asking = profiled ? undefined : definitions.find(({ auto }) => auto);
  if (asking === undefined) return;
  throw new SojournError("E_CONFIG_INVALID", `"${asking.name}" has the strategy "auto", which goes by the profile; the node keeps none`);
}

/** Has a node choose the strategies of its sessions, where a kind asks for that; null when none does. */
export function startAuto(
  { id, definitions, runtime, profiler, hasStore, clock, limits }: AutoNode,
  options?: AutoOptions,
): AutoStrategy | null {
  if (profiler === null || !definitions.some(({ auto }) => auto)) return null;
  const node = {
    slots: () => runtime.host?.slots ?? null,
    nodes: () => (runtime.host?.membership.others().length ?? 0) + 1,
    hasStore,
    report: (kind: string) => profiler.report(id, kind, 0).kinds[0],
    set: runtime.setStrategy.bind(runtime),
  };
  const auto = new AutoStrategy(definitions, clock, limits, node, options);
  profiler.listen(auto);
  return auto;
}
