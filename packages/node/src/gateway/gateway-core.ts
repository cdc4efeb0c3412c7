import type { ByteWriter, ClientRouter, ClientSocket, Clock, Limits } from "@sojourn/core";
import type { TickFlusher } from "../channel/tick-flusher.js";

/**
 * Decides who a client is: returns plain data that the session sees as its user, or throws to refuse. The message of a
 * SojournError is shown to the client, that of any other error is not.
 */
export type Authenticate = (auth: string | null, session: string) => unknown;

/** What all connections of one gateway share. */
export interface GatewayCore {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly router: ClientRouter;
  readonly authenticate: Authenticate;
  readonly flusher: TickFlusher;
  /** Scratch space for encoding; empty between uses. */
  readonly scratch: ByteWriter;
  readonly onProblem: (code: string, message: string) => void;
  /** The connection's socket is gone. */
  forget(connection: ClientSocket): void;
}
