import { askWorker } from "../seeds/ask-worker.js";

/**
 * Which seeds show nothing when the code is as it is. A violation on any other seed proves nothing about a mutant. Each seed that is
 * asked for is run once.
 */
export class SoundSeeds {
  readonly #script: string;
  readonly #maxMsPerSeed: number;
  readonly #known = new Map<number, Promise<boolean>>();

  constructor(script: string, maxMsPerSeed: number) {
    this.#script = script;
    this.#maxMsPerSeed = maxMsPerSeed;
  }

  isSound(seed: number): Promise<boolean> {
    let known = this.#known.get(seed);
    if (known === undefined) {
      known = this.#run(seed);
      this.#known.set(seed, known);
    }
    return known;
  }

  /** Seeds that were found unsound so far, in order. */
  async unsound(): Promise<number[]> {
    const seeds: number[] = [];
    for (const [seed, sound] of this.#known) if (!(await sound)) seeds.push(seed);
    return seeds.sort((a, b) => a - b);
  }

  async #run(seed: number): Promise<boolean> {
    let asked = false;
    let sound = false;
    await askWorker<readonly string[]>({
      script: this.#script,
      argument: [],
      next: () => {
        if (asked) return null;
        asked = true;
        return seed;
      },
      onAnswer: ({ outcome }) => {
        sound = outcome !== null && outcome.length === 0;
        return "enough";
      },
      maxMs: Number.POSITIVE_INFINITY,
      maxMsPerSeed: this.#maxMsPerSeed,
    });
    return sound;
  }
}
