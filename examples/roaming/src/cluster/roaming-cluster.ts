import { fileURLToPath } from "node:url";
import { type LocalCluster, type LocalNode, type NodeProcessEvent, startLocalCluster } from "@sojourn/cli";
import { errorCodeOf, SojournError } from "@sojourn/core";
import type { NodePlace } from "../travel/cities.js";

const DEFINITIONS = fileURLToPath(new URL("../session/traveller.js", import.meta.url));

/** How one node stands, for the view. */
export interface NodeView {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly state: "running" | "evacuating" | "ended";
  /** Null while nobody knows. */
  readonly sessions: number | null;
  readonly clients: number | null;
  readonly exitCode: number | null;
}

interface Seat {
  readonly place: NodePlace;
  readonly node: LocalNode;
  state: NodeView["state"];
  sessions: number | null;
  clients: number | null;
  exitCode: number | null;
}

/** What happens in the cluster that is worth a line. */
export interface ClusterListener {
  readonly incident: (what: string) => void;
  /** A node that was told to leave has moved its sessions to others. */
  readonly evacuated: (node: string, moved: number, left: number) => void;
}

/** A cluster of node processes that serve travellers. Knows which nodes take sessions, and has sessions moved. */
export class RoamingCluster {
  readonly #cluster: LocalCluster;
  readonly #listener: ClusterListener;
  readonly #seats: readonly Seat[];
  #asking = false;
  #stopping = false;

  private constructor(cluster: LocalCluster, places: readonly NodePlace[], listener: ClusterListener) {
    this.#cluster = cluster;
    this.#listener = listener;
    this.#seats = places.map((place): Seat => {
      const node = cluster.node(place.id);
      return { place, node, state: "running", sessions: null, clients: null, exitCode: null };
    });
    for (const seat of this.#seats) {
      void seat.node.exited.then((code) => {
        if (!this.#stopping && code !== 0) listener.incident(`${seat.place.id} ended with exit code ${code}`);
        Object.assign(seat, { state: "ended", sessions: 0, clients: 0, exitCode: code } satisfies Partial<Seat>);
      });
    }
  }

  /** @throws SojournError (rejects) why the cluster could not start */
  static async start(places: readonly NodePlace[], listener: ClusterListener): Promise<RoamingCluster> {
    let running: RoamingCluster | null = null;
    const cluster = await startLocalCluster({
      nodes: places.map(({ id, name, lat, lon }) => ({ id, place: { region: name, lat, lon } })),
      module: DEFINITIONS,
      onLog: (node, line) => listener.incident(`${node}: ${line}`),
      onEvent: (node, event) => {
        if (running !== null) running.#heard(node, event); // before all have joined, some cannot reach the others yet
      },
    });
    running = new RoamingCluster(cluster, places, listener);
    return running;
  }

  #heard(node: string, event: NodeProcessEvent): void {
    const seat = this.#seats.find(({ place }) => place.id === node);
    if (event.type === "evacuating") {
      if (seat !== undefined) seat.state = "evacuating";
      this.#listener.incident(`${node} was told to leave and moves its ${event.sessions} sessions away`);
    } else if (event.type === "evacuated") {
      this.#listener.evacuated(node, event.moved, event.left);
    } else if (!this.#stopping) {
      const expected = event.type === "incident" && event.code === "E_NODE_STOPPING" && seat?.state !== "running";
      const what = describeEvent(event);
      if (what !== null && !expected) this.#listener.incident(`${node}: ${what}`);
    }
  }

  get nodes(): readonly NodeView[] {
    return this.#seats.map(({ place, node, state, sessions, clients, exitCode }) => {
      return { id: place.id, name: place.name, pid: node.pid, state, sessions, clients, exitCode };
    });
  }

  /** Whether a node takes sessions. */
  isOpen(id: string): boolean {
    return this.#seats.some(({ place, state }) => place.id === id && state === "running");
  }

  /** A node said that it takes no sessions. */
  close(id: string): void {
    const seat = this.#seats.find(({ place }) => place.id === id);
    if (seat?.state === "running") seat.state = "evacuating";
  }

  endpointOf(id: string): string {
    return this.#seats.find(({ place }) => place.id === id)?.node.clientEndpoint ?? "";
  }

  /**
   * Has a session moved, wherever it is. Resolves with the blackout, or null when it is there already.
   * @throws SojournError (rejects) what refused the move
   */
  async move(session: string, to: string): Promise<number | null> {
    const asked =
      this.#seats.find(({ state, place }) => state === "running" && place.id !== to) ??
      this.#seats.find(({ state }) => state === "running");
    if (asked === undefined) throw new SojournError("E_NODE_UNKNOWN", "no node runs any more");
    try {
      return (await asked.node.command({ command: "move", session, to })).blackoutMs;
    } catch (error) {
      if (errorCodeOf(error) !== "E_MOVE_REFUSED") throw error;
      const { owner } = await asked.node.command({ command: "where", session });
      if (owner === to) return null;
      throw error;
    }
  }

  /** Asks every node how it fares; an answer that is still awaited is not asked for again. */
  async refresh(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    await Promise.all(
      this.#seats.map(async (seat) => {
        if (seat.state === "ended") return;
        try {
          const { sessions, clients, cordoned } = await seat.node.command({ command: "status" });
          if (seat.exitCode === null) Object.assign(seat, { sessions: sessions.owned, clients });
          if (cordoned) this.close(seat.place.id);
        } catch {
          // It is going away; its exit will say so.
        }
      }),
    );
    this.#asking = false;
  }

  /** Stops all node processes. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#cluster.stop();
  }
}

function describeEvent(event: NodeProcessEvent): string | null {
  switch (event.type) {
    case "incident":
      return `${event.code}${event.session === "" ? "" : ` of ${event.session}`}: ${event.message}`;
    case "handlerError":
      return `${event.where} of ${event.session} threw: ${event.message}`;
    case "lost":
      return `its lease was lost (${event.self})`;
    default:
      return null;
  }
}
