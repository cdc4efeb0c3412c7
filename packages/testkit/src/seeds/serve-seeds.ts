/** What a worker process says after each seed. */
export interface SeedAnswer<Outcome> {
  readonly seed: number;
  /** Null when the run itself ended with an error. */
  readonly outcome: Outcome | null;
  /** The error of the run, or the first one that nobody awaited. */
  readonly crash: string | null;
}

/** What is asked of a worker process: a seed, or null when there are no more. */
export type SeedRequest = number | null;

/** Makes this process a worker: it runs each seed that its parent names, one after another, and ends with it. */
export function serveSeeds<Outcome>(run: (seed: number) => Promise<Outcome>): void {
  let stray: string | null = null;
  process.on("unhandledRejection", (error) => {
    stray ??= error instanceof Error ? (error.stack ?? error.message) : String(error);
  });
  // Whoever runs the command is told to stop and stops its workers.
  process.on("SIGINT", () => undefined);
  process.once("disconnect", () => process.exit(0));
  process.on("message", (seed: SeedRequest) => {
    if (seed === null) {
      process.disconnect();
      return;
    }
    stray = null;
    run(seed).then(
      (outcome) => answer({ seed, outcome, crash: stray }),
      (error: unknown) =>
        answer({
          seed,
          outcome: null,
          crash: error instanceof Error ? (error.stack ?? error.message) : String(error),
        } as SeedAnswer<Outcome>),
    );
  });
}

function answer<Outcome>(message: SeedAnswer<Outcome>): void {
  if (process.connected) process.send?.(message);
}
