import { clientBugs } from "./client-bugs.js";
import { deliveryBugs } from "./delivery-bugs.js";
import { directoryBugs } from "./directory-bugs.js";
import { foundBugs } from "./found-bugs.js";
import { handoverBugs } from "./handover-bugs.js";
import type { Mutant } from "./mutant.js";
import { replicationBugs } from "./replication-bugs.js";
import { brokenRules } from "./rules.js";
import { storeBugs } from "./store-bugs.js";
import { strategyBugs } from "./strategy-bugs.js";
import { suspicionBugs } from "./suspicion-bugs.js";
import { timerBugs } from "./timer-bugs.js";

/** Every mutant: first the rules of PROTOCOL.md in their order, then further bugs. */
export const mutants: readonly Mutant[] = [
  ...brokenRules,
  ...handoverBugs,
  ...replicationBugs,
  ...deliveryBugs,
  ...clientBugs,
  ...timerBugs,
  ...directoryBugs,
  ...storeBugs,
  ...strategyBugs,
  ...suspicionBugs,
  ...foundBugs,
];
