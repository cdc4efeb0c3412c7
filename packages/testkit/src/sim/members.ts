import type { Stage } from "./nasty-stage.js";

/**
 * From now on after each step: whoever the record names in-sync is waited for [3], the store has all that was released while it is named [2], and, unless
 * said otherwise, somebody is in-sync.
 */
export function watchMembers(stage: Stage, { mayBeAlone = false }: { readonly mayBeAlone?: boolean } = {}): void {
  const { cluster, key } = stage;
  /** The greatest version that any owner so far has released. */
  let shown = 0;
  cluster.clock.afterTask = () => {
    const known = cluster.directory.records.get(key);
    if (known === undefined || known.ended) return;
    if (!mayBeAlone && !known.stored && known.inSync.length === 0) stage.problem(`nobody is in-sync at revision ${known.revision}`);
    for (const { runtime } of cluster.nodes.values()) {
      const owner = runtime?.host?.slots.get(key)?.owner;
      if (owner == null || owner.epoch !== known.epoch || runtime?.self !== known.owner) continue;
      if (known.stored && owner.store.bound === null) stage.problem("rule 3: the store is in-sync and not waited for");
      shown = Math.max(shown, owner.released);
      if (known.stored && shown > cluster.store.newest(key)) stage.problem(`rule 2: the store lacks turn ${shown}, which was released`);
      for (const ref of known.inSync)
        if (owner.feeds.get(ref)?.waited !== true) stage.problem(`rule 3: ${ref} is in-sync and not waited for`);
    }
  };
}
