import type { SessionDefinition } from "@sojourn/core";
import { chatter as patient } from "./chatter.js";

/** A chatter whose copies take over as soon as its owner's node is suspected. */
export const chatter: SessionDefinition = { ...(patient as unknown as SessionDefinition), failover: "suspicion" };
