import { it } from "vitest";
import { SimCluster } from "./sim-cluster.js";
import { runScenario } from "./scenario.js";
import { VirtualClock } from "../virtual-clock.js";
it("dbg", async () => {
  let n = 0; const start = Date.now(); const counts = new Map<string, number>();
  const orig = VirtualClock.prototype.schedule;
  VirtualClock.prototype.schedule = function (d: number, t: () => void) {
    n++;
    if (Date.now() - start > 4000) {
      const s = new Error().stack!.split("\n").slice(2, 7).map((l) => l.trim().replace(/.*\/packages/, "")).join(" < ");
      counts.set(s, (counts.get(s) ?? 0) + 1);
      if (Date.now() - start > 6000) { console.log(this.now(), [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5)); process.exit(1); }
    }
    return orig.call(this, d, t);
  };
  const mix = JSON.parse(process.env.MIX!);
  console.log(JSON.stringify(await runScenario({ seed: Number(process.env.SEED), ...mix })));
}, 60000);
