import type { ConformanceCase } from "../directory-under-test.js";
import { baseCases } from "./base-cases.js";
import { damageCases } from "./damage-cases.js";
import { caseCollector } from "./define-cases.js";
import { fencingCases } from "./fencing-cases.js";
import { keepingCases } from "./keeping-cases.js";
import { logCases } from "./log-cases.js";
import { storeModelCase } from "./model-case.js";
import type { StoreConformanceOptions } from "./store-under-test.js";

/** Everything that the session store port promises, as cases for whatever test framework. */
export function storeConformance(options: StoreConformanceOptions): readonly ConformanceCase[] {
  const { cases, define } = caseCollector(options);
  baseCases(define, options);
  logCases(define);
  fencingCases(define, options);
  keepingCases(define, options);
  damageCases(define, options);
  return [...cases, storeModelCase(options)];
}
