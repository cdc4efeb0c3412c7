// Entry of the thread that renews a node's lease. It starts when it is loaded, and lives until the node terminates it.
import { parentPort, workerData } from "node:worker_threads";
import { createSystemClock, systemClockSource } from "../system/clock.js";
import { openRenewals } from "./open-renewals.js";
import { RenewalLoop } from "./renewal-loop.js";
import { SharedLease, sharedNowMs } from "./shared-lease.js";
import type { FromRenewalThread, RenewalThreadConfig, ToRenewalThread } from "./thread-messages.js";

const { source, ttlMs, maxStallMs } = workerData as RenewalThreadConfig;
const clock = createSystemClock({ ...systemClockSource, monotonicMs: sharedNowMs });
let loop: RenewalLoop | null = null;

function tell(message: FromRenewalThread): void {
  parentPort?.postMessage(message);
}

const renewals = await openRenewals(source, ttlMs, ({ code, message }) => tell({ t: "problem", code, message }));

parentPort?.on("message", (message: ToRenewalThread) => {
  loop?.stop();
  loop = null;
  if (message.t === "rest") return;
  const shared = new SharedLease(message.buffer);
  let validUntilMs = shared.validUntilMs();
  loop = new RenewalLoop({
    clock,
    ttlMs,
    ref: message.ref,
    book: shared,
    renew: (ref) => renewals.renew(ref),
    mayRenew: () => sharedNowMs() - shared.lastTickMs() <= maxStallMs,
    changed() {
      // A node that is up to date has nothing to be told; one that has seen its lease run out waits for this.
      if (shared.ended || sharedNowMs() >= validUntilMs) tell({ t: "changed" });
      validUntilMs = shared.validUntilMs();
    },
  });
});
tell({ t: "ready" });
