/** What an owner has released, as far as it tells. */
export interface Release {
  readonly epoch: number;
  /** Everything up to here is released. */
  readonly version: number;
  /** The chain hash of its session at a version, null where it does not know any more. */
  hashAt(version: number): number | null;
}

/**
 * `late`: a later epoch has released, and not this. `otherTurn`: it contradicts what was released. `continuesOther`: it goes on from something
 * else than was released. `ofLostLife`: it belongs to a life of the session that was lost with all who held it.
 */
export type ReleaseVerdict = "fine" | "late" | "otherTurn" | "continuesOther" | "ofLostLife";

/** A life of the session that is over. */
interface FormerLife {
  readonly lastEpoch: number;
  readonly lost: boolean;
  /** How far it got, null when that was not seen. */
  readonly version: number | null;
  readonly hashes: ReadonlyMap<number, number>;
}

/**
 * What was released of one session [I2]. Each release is judged by the life of the session that its epoch belongs to: an owner of a life that
 * has ended may still say what it got acknowledged before its successor went on to the end, for that is a part of the same chain.
 */
export class ReleasedTurns {
  /** The greatest version that an owner has released in the present life. */
  version = 0;
  /** The latest epoch in which anything new was released. */
  epoch = 0;
  /** The chain hash at each version that was released in the present life, as far as its owner knew it. */
  #hashes = new Map<number, number>();
  readonly #former: FormerLife[] = [];
  /** How far owners had come whose session has ended by a turn, by their epochs. */
  readonly #endings = new Map<number, number>();

  /** An owner has run the turn that ends the session. */
  ending(epoch: number, version: number): void {
    this.#endings.set(epoch, version);
  }

  /** A new life begins. @param lastEpoch the last epoch of the life before @param lost whether that did not end by a turn */
  begin(lastEpoch: number, lost: boolean): void {
    this.#former.push({ lastEpoch, lost, version: this.#endings.get(lastEpoch) ?? null, hashes: this.#hashes });
    this.#endings.clear();
    this.#hashes = new Map();
    this.version = 0;
  }

  /** Judges a release, and takes it into account. */
  release({ epoch, version, hashAt }: Release): ReleaseVerdict {
    const former = this.#former.find(({ lastEpoch }) => epoch <= lastEpoch);
    const hash = hashAt(version);
    const before = (former?.hashes ?? this.#hashes).get(version);
    const differs = before !== undefined && hash !== null && before !== hash;
    if (former !== undefined) {
      if (former.lost) return "ofLostLife";
      if (former.version !== null && version > former.version) return "late";
      return differs ? "otherTurn" : "fine";
    }
    if (differs) return "otherTurn";
    if (version <= this.version) return "fine";
    if (epoch < this.epoch) return "late";
    const from = hashAt(this.version);
    const reached = this.#hashes.get(this.version);
    for (let at = this.version + 1; at <= version; at++) {
      const passed = hashAt(at);
      if (passed !== null) this.#hashes.set(at, passed);
    }
    this.version = version;
    this.epoch = epoch;
    return reached !== undefined && from !== null && from !== reached ? "continuesOther" : "fine";
  }
}
