import type { ChangeTimer, LossReport, MoveReport, NodeRef, SessionKey, SessionMeter } from "@sojourn/core";

/** Counts and times what sessions do. */
export interface HostProfiler {
  meterOf(key: SessionKey): SessionMeter | null;
  timerOf(kind: string): ChangeTimer | undefined;
}

/** Who wants to know what happens on a node; never called on the path of a message. */
export interface HostObserver {
  moved(report: MoveReport): void;
  /** A client came back to an `eventual` session that had lost turns it knew of. */
  turnsLost?(report: LossReport): void;
  incident(session: SessionKey, code: string, message: string): void;
  handlerError(session: string, where: string, error: unknown): void;
  /** A connection to another node stands. */
  peerUp?(peer: NodeRef): void;
}
