import { type Durability, defineSession, type Failover, type SessionDefinition, type Strategy } from "@sojourn/core";
import { sizedState } from "../common/sized-state.js";
import { WHOLE_NUMBER } from "../common/whole-number.js";

/** A kind of session that differs from others in its size and in how it is kept safe. */
export interface SizedKind {
  readonly name: string;
  readonly stateBytes: number;
  /** A binary part on top of that, to which every message writes; default none. */
  readonly arrayBytes?: number;
  readonly strategy: Strategy | "auto";
  readonly durability: Durability;
  readonly standbys?: number;
  readonly failover?: Failover;
}

/** Makes the definition. It has the actions of the bench `handover`'s kind; `woken` learns that a session was restored. */
export function defineSizedKind(kind: SizedKind, woken: (session: string) => void): SessionDefinition {
  const { name, stateBytes, arrayBytes = 0, strategy, durability, standbys, failover = "lease" } = kind;
  const small = Math.max(1, Math.round((20 * stateBytes) / 5_000));
  return defineSession({
    name,
    version: 1,
    strategy,
    durability,
    failover,
    ...(standbys !== undefined && { standbys }),
    state: () => ({ ...sizedState(stateBytes), array: new Uint8Array(arrayBytes).fill(1), seen: 0, wrong: 0 }),
    actions: (action) => ({
      say: action(WHOLE_NUMBER, (ctx, n) => {
        if (n !== ctx.state.seen + 1) ctx.state.wrong++;
        ctx.state.seen = n;
        const { rooms } = ctx.state;
        const player = rooms[n % rooms.length]?.players.get(`player-${n % Math.min(20, small)}`);
        if (player !== undefined) player.pos.x += 1;
        if (arrayBytes > 0) ctx.state.array[(n * 7_919_017) % arrayBytes] = n % 256;
        return n;
      }),
      audit: action(null, (ctx) => ({ seen: ctx.state.seen, wrong: ctx.state.wrong })),
    }),
    onWake: (ctx, { reason }) => {
      if (reason === "restored") woken(ctx.session.key);
    },
  }) as SessionDefinition;
}
