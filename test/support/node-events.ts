import type { NodeProcessEvent } from "@sojourn/cli";

/** What the processes of a cluster told, and a way to wait for it. Give `listen` to `startLocalCluster` as `onEvent`. */
export class NodeEvents {
  readonly all: { readonly node: string; readonly event: NodeProcessEvent }[] = [];
  #waiting: { readonly wanted: (node: string, event: NodeProcessEvent) => boolean; readonly resolve: (event: NodeProcessEvent) => void }[] =
    [];

  readonly listen = (node: string, event: NodeProcessEvent): void => {
    this.all.push({ node, event });
    const ready = this.#waiting.filter(({ wanted }) => wanted(node, event));
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { resolve } of ready) resolve(event);
  };

  /** The first event that is as wanted, from number `since` on, past or to come. */
  first(wanted: (node: string, event: NodeProcessEvent) => boolean, since = 0): Promise<NodeProcessEvent> {
    const past = this.all.slice(since).find(({ node, event }) => wanted(node, event));
    if (past !== undefined) return Promise.resolve(past.event);
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }));
  }

  /** The incident of this code. */
  incident(code: string, since = 0): Promise<NodeProcessEvent> {
    return this.first((_, event) => event.type === "incident" && event.code === code, since);
  }
}
