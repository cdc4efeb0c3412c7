/** What is wrong with one direction between two parties. */
export interface LinkFaults {
  /** Nothing passes; it waits, as it does for TCP over a cut cable. */
  readonly held: boolean;
  /** Added to everything that passes. */
  readonly delayMs: number;
}

/** Something that carries bytes in one direction. */
export interface Carrier {
  /** The faults of its direction have changed. */
  changed(): void;
  /** Ends the connection at once. */
  destroy(): void;
}

const FINE: LinkFaults = { held: false, delayMs: 0 };

/** One direction between two parties: its faults, and the connections that are under them. */
export class Link {
  readonly carriers = new Set<Carrier>();
  #faults = FINE;

  get faults(): LinkFaults {
    return this.#faults;
  }

  set(faults: Partial<LinkFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
    for (const carrier of this.carriers) carrier.changed();
  }
}

/** All directions between all parties (node ids, "directory") of a cluster. */
export class Switchboard {
  readonly #links = new Map<string, Link>();

  /** The direction from one party to another. */
  link(from: string, to: string): Link {
    const name = `${from}>${to}`;
    let link = this.#links.get(name);
    if (link === undefined) {
      link = new Link();
      this.#links.set(name, link);
    }
    return link;
  }

  /** Both directions. */
  set(a: string, b: string, faults: Partial<LinkFaults>): void {
    this.link(a, b).set(faults);
    this.link(b, a).set(faults);
  }

  /** Ends every connection between two parties. */
  reset(a: string, b: string): void {
    for (const link of [this.link(a, b), this.link(b, a)]) for (const carrier of [...link.carriers]) carrier.destroy();
  }

  /** Everything passes again. */
  heal(): void {
    for (const link of this.#links.values()) link.set(FINE);
  }
}
