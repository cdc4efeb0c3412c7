import type { TurnInput } from "../session/types.js";
import { decodePayload } from "../wire/payload.js";
import type { ClientOp } from "./role.js";

/** A client's message as the session takes it; null for one that is no turn or does not decode. */
export function toTurnInput(op: Exclude<ClientOp, { t: "linkAck" }>): TurnInput | null {
  switch (op.t) {
    case "input":
      return {
        kind: "message",
        link: op.link,
        generation: op.generation,
        seq: op.seq,
        ack: op.ack,
        action: op.action,
        payload: op.payload,
      };
    case "detach":
      return { kind: op.leave ? "leave" : "detach", link: op.link, generation: op.generation };
    case "attach": {
      let user: unknown;
      try {
        user = decodePayload(op.user);
      } catch {
        return null;
      }
      const { link, token, nextToken, ingress, epoch, lastOut, sent, acked, offsetEpoch, generation } = op;
      return { kind: "attach", link, token, nextToken, ingress, epoch, lastOut, sent, acked, offsetEpoch, generation, user };
    }
  }
}
