import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A question to a child process. */
export interface Request {
  readonly id: number;
  readonly command: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

/** As for a node in production: with V8's default, objects that live for the length of a hand-over are promoted too early. */
const YOUNG_SPACE = ["--max-semi-space-size=64"];

/** A child process that answers commands. It ends with its parent. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #last = 0;
  #ended = false;

  /** @param module the child's entry, compiled */
  constructor(module: URL) {
    this.#process = fork(fileURLToPath(module), [], {
      execArgv: [...process.execArgv, ...YOUNG_SPACE],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("error" in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.value as never);
    });
    this.#process.on("exit", (code, signal) => {
      this.#ended = true;
      for (const { reject } of this.#waiting.values()) reject(new Error(`a child process ended: ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  ask<T>(command: string, argument: unknown = null): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#ended) {
        reject(new Error("the child process has ended"));
        return;
      }
      this.#last++;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#process.send({ id: this.#last, command, argument } satisfies Request);
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Ends it from one moment to the next, as `kill -9` does. */
  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise<void>((resolve) => this.#process.once("exit", () => resolve()));
    this.#process.disconnect();
    await exited;
  }
}

/** The child's side: answers commands until the parent is gone. */
export function answerCommands(commands: Readonly<Record<string, (argument: never) => unknown>>): void {
  process.on("message", (request: Request) => {
    const run = commands[request.command];
    const answer = async () => run?.(request.argument as never);
    answer().then(
      (value) => process.send?.({ id: request.id, value }),
      (error: unknown) =>
        process.send?.({ id: request.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on("disconnect", () => process.exit(0));
}
