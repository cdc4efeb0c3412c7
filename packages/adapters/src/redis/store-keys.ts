/** The keys of one store. All carry one hash tag, so that a cluster keeps the store on one of its nodes and scripts may touch it. */
export class StoreKeys {
  readonly index: string;
  readonly #tag: string;

  constructor(name: string) {
    this.#tag = `{${name}}`;
    this.index = `${this.#tag}:sessions`;
  }

  head(session: string): string {
    return `${this.#tag}:head:${session}`;
  }

  bases(session: string): string {
    return `${this.#tag}:bases:${session}`;
  }

  log(session: string): string {
    return `${this.#tag}:log:${session}`;
  }

  /** Before the name of an upload and the number of a piece. */
  get pieces(): string {
    return `${this.#tag}:piece:`;
  }

  piece(upload: string, index: number): string {
    return `${this.pieces}${upload}:${index}`;
  }
}
