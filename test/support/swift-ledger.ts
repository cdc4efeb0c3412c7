import type { SessionDefinition } from "@sojourn/core";
import { ledger as patient } from "./ledger.js";

/** A ledger whose copies take over as soon as the owner's node is suspected. */
export const ledger: SessionDefinition = { ...(patient as SessionDefinition), failover: "suspicion" };
