import type { Limits, SessionStore } from "@sojourn/core";
import type { ConformanceCase } from "../directory-under-test.js";
import type { StoreConformanceOptions, StoreUnderTest } from "./store-under-test.js";

/** Bounds of the stores in the cases, small enough to be passed on purpose. */
export const CASE_LIMITS = {
  maxSnapshotBytes: 65_536,
  maxStoreRecordBytes: 4_096,
  storePieceBytes: 4_096,
} as const satisfies Partial<Limits>;

/** What a case does with a fresh store and its first handle. */
export type CaseBody = (underTest: StoreUnderTest, store: SessionStore) => Promise<void>;

/** Adds a case. `needs` holds what of the options it cannot do without. */
export type DefineCase = (name: string, needs: readonly (true | string)[], body: CaseBody, limits?: Partial<Limits>) => void;

/** Collects cases that start and close a store around their bodies. */
export function caseCollector(options: StoreConformanceOptions): { readonly cases: ConformanceCase[]; readonly define: DefineCase } {
  const cases: ConformanceCase[] = [];
  return {
    cases,
    define(name, needs, body, limits = CASE_LIMITS) {
      const missing = needs.find((need) => need !== true);
      cases.push({
        name,
        ...(missing === undefined ? {} : { skipped: String(missing) }),
        async run() {
          const underTest = await options.start(limits);
          try {
            await body(underTest, await underTest.open());
          } finally {
            await underTest.close();
          }
        },
      });
    },
  };
}
