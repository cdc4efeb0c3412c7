// A way to the directory that a renewing thread may take once, and dies of. The second time it lives.
import { open as openReal } from "../../packages/node/dist/directory/renewals.js";

export function open({ deaths, ...options }, ttlMs, onProblem) {
  const real = openReal(options, ttlMs, onProblem);
  return {
    async renew(ref) {
      if (Atomics.sub(new Int32Array(deaths), 0, 1) > 0) process.exit(7); // ends this thread only
      return real.renew(ref);
    },
    close: () => real.close(),
  };
}
