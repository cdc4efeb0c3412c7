import type { NodeRef, SojournError } from "@sojourn/core";

/** What becomes of a lease, told to the node that holds it. None of these is told inside a call to the lease. */
export interface LeaseEvents {
  /** It could not be renewed in time: the node does nothing until one of the other two is told. */
  lapsed(): void;
  /** The directory has renewed it after all, so that it never ended: the node goes on. */
  resumed(): void;
  /** The directory says that it is over; it never comes back. */
  ended(): void;
  /** Something keeps it from being renewed. It is tried again. */
  failed(error: SojournError): void;
}

/** A node's lease while it is being renewed. */
export interface Lease {
  /** Whether the node may act now [10]. Cheap: it is asked before each turn and each release. */
  valid(): boolean;
  /** It is neither renewed nor valid any more. */
  stop(): void;
}

/** Renews a node's leases, one after another: the next one begins when the one before it has been stopped. */
export interface LeaseRenewal {
  /** Makes ready, so that a lease taken from now on is renewed in time. @throws SojournError (rejects) `E_LEASE_RENEWAL` */
  open(): Promise<void>;
  /** @param sentAtMs when the registration that gave the lease was sent, on the node's clock */
  begin(ref: NodeRef, sentAtMs: number, events: LeaseEvents): Lease;
  close(): Promise<void>;
}

/** Where renewals are written down and read from; perhaps by two threads, each with its own clock. */
export interface LeaseBook {
  /** Until when the node may act, on the clock of who asks. Only ever grows. */
  validUntilMs(): number;
  extend(untilMs: number): void;
  /** The directory has said that the lease is over. Never taken back. */
  readonly ended: boolean;
  end(): void;
}

/** A node stops acting this share of its lease before the directory can end it; covers clocks that run apart by up to 5 %. */
export const SAFE_SHARE = 0.9;

/** So often within a lease its renewal is asked for. */
export const RENEWALS_PER_LEASE = 4;
