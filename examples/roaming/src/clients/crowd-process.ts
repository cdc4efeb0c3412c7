import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { SojournError } from "@sojourn/core";
import type { DurationSummary } from "@sojourn/testkit/books";
import type { Counts, CrowdConfig, FromCrowd, ToCrowd } from "./messages.js";

const ENTRY = fileURLToPath(new URL("./crowd-main.js", import.meta.url));

/** How the clients of one process fared in the end. */
export type CrowdResult = Extract<FromCrowd, { type: "done" }>;

/** A process of clients, as its parent sees it. */
export class CrowdProcess {
  readonly #child: ChildProcess;
  readonly #onIncident: (what: string) => void;
  readonly #connected: Promise<readonly string[]>;
  readonly #done: Promise<CrowdResult>;
  readonly #ended: Promise<void>;
  /** The latest figures. */
  latest: { readonly counts: Counts; readonly replyMs: DurationSummary } | null = null;

  constructor(config: CrowdConfig, onIncident: (what: string) => void) {
    this.#onIncident = onIncident;
    this.#child = fork(ENTRY, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
    this.#ended = new Promise((resolve) => this.#child.once("exit", () => resolve()));
    const died = new Promise<never>((_, reject) => {
      this.#child.once("error", (cause) => reject(new SojournError("E_INTERNAL", "the clients' process could not start", {}, cause)));
      this.#child.once("exit", (code, signal) =>
        reject(new SojournError("E_INTERNAL", `the clients' process ended early (${signal ?? `exit code ${code}`})`)),
      );
    });
    died.catch(() => undefined);
    this.#connected = Promise.race([died, this.#heard("connected").then(({ failures }) => failures)]);
    this.#done = Promise.race([died, this.#heard("done")]);
    this.#connected.catch(() => undefined);
    this.#done.catch(() => undefined);
    this.#child.on("message", (message: FromCrowd) => {
      if (message.type === "counts" || message.type === "done") this.latest = { counts: message.counts, replyMs: message.replyMs };
      if (message.type === "incident") this.#onIncident(`user ${message.user}: ${message.what}`);
    });
    this.#tell({ type: "start", config });
  }

  /** Resolves, when all have tried, with who could not connect. */
  connected(): Promise<readonly string[]> {
    return this.#connected;
  }

  positions(flat: readonly number[]): void {
    this.#tell({ type: "positions", flat });
  }

  go(): void {
    this.#tell({ type: "go" });
  }

  /** Rejects as soon as the process has ended without its result. */
  get done(): Promise<CrowdResult> {
    return this.#done;
  }

  /** Has the clients stop and be audited. */
  finish(): Promise<CrowdResult> {
    this.#tell({ type: "finish" });
    return this.#done;
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
  }

  #heard<T extends FromCrowd["type"]>(type: T): Promise<Extract<FromCrowd, { type: T }>> {
    return new Promise((resolve) => {
      this.#child.on("message", (message: FromCrowd) => {
        if (message.type === type) resolve(message as Extract<FromCrowd, { type: T }>);
      });
    });
  }

  #tell(message: ToCrowd): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}
