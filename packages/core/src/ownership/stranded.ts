import type { SessionKey } from "../names.js";
import type { Scheduled } from "../ports/clock.js";
import type { SessionCell } from "../session/session-port.js";
import type { MoveCallbacks } from "./role.js";
import type { SlotHost } from "./slot-host.js";

/** Pause before the next node is asked. */
const PAUSE_MS = 250;

/** Whether this node's code can read the state, so that turns run here. */
export function runsHere(host: SlotHost, cell: SessionCell): boolean {
  return host.factoryOf(cell.key)?.canRead(cell.stateVersion) !== false;
}

/** The owner of a session that perhaps cannot run where it is. */
export interface StrandedOwner {
  readonly key: SessionKey;
  readonly host: SlotHost;
  readonly cell: SessionCell;
  readonly movingTo: string | null;
  move(to: string, callbacks: MoveCallbacks): void;
}

/**
 * A node may hold what it cannot run: who granted a session to a node with newer code keeps a copy of what that node makes of it [6], and
 * takes over when nobody else is left [8]. Nothing is lost then, but no turn runs: the session is offered to one node after another
 * until one takes it that can read its state.
 */
export class Stranded {
  readonly #owner: StrandedOwner;
  #asked = 0;
  #timer: Scheduled | null = null;
  #stopped = false;

  constructor(owner: StrandedOwner) {
    this.#owner = owner;
  }

  /** Where no turn can run: asks the next node, again and again until the owner's role ends. */
  offer(): void {
    const { host, key, cell, movingTo } = this.#owner;
    if (runsHere(host, cell)) return;
    const nodes = host.rankStandbys(key);
    const to = nodes[this.#asked % Math.max(1, nodes.length)];
    if (to === undefined || movingTo !== null) {
      this.#later();
      return;
    }
    this.#asked++;
    this.#owner.move(to, { moved: () => undefined, failed: () => this.#later() });
  }

  #later(): void {
    if (this.#stopped) return;
    const { clock, random } = this.#owner.host;
    this.#timer = clock.schedule(PAUSE_MS * (0.5 + random.next()), () => {
      this.#timer = null;
      this.offer();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}
