import type { SessionKey } from "@sojourn/core";
import type { SimNode } from "../../sim-cluster.js";
import type { World } from "../world.js";
import type { WriteMeaning } from "../writes.js";

/** Looks for the cases of sessions that are given another strategy, and of stores that are left and come back. */
export class StrategyCases {
  readonly #world: World;
  readonly #left = new Set<SessionKey>();

  constructor(world: World) {
    this.#world = world;
  }

  written(meaning: WriteMeaning, key: SessionKey): void {
    if (meaning === "strategy") {
      if ([...this.#world.moves].some(({ session }) => session === key)) this.#reach("46");
      this.#left.delete(key);
    } else if (meaning === "leaveStore") {
      this.#left.add(key);
      this.#reach("48a");
    } else if (meaning === "joinStore" && this.#left.delete(key)) {
      this.#reach("48b");
    }
  }

  crashing(node: SimNode): void {
    for (const { owner } of node.runtime?.host?.slots.values() ?? []) {
      if (owner !== null && owner.store.changingTo !== null) this.#reach("47");
    }
  }

  #reach(id: string): void {
    this.#world.reached.count(`case ${id}`);
  }
}
