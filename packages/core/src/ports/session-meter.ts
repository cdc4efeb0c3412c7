/** Counts what the owner of one session does. On the path of every turn: implementations neither allocate nor throw. */
export interface SessionMeter {
  /** A turn was committed; `delta` is null when nobody needs it. */
  turn(delta: Uint8Array | null): void;
}

/** Times some of the changes of one kind as they are encoded and applied. Neither allocates nor throws. */
export interface ChangeTimer {
  /** Whether the next one is to be timed; asked once before each. */
  due(): boolean;
  encoded(ms: number): void;
  applied(ms: number): void;
}
