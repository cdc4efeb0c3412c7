import type { OpenRenewals, RenewalSource, Renewals, SojournError } from "@sojourn/core";

/** Loads the module that a directory's adapter names, and opens a connection by it. */
export async function openRenewals(source: RenewalSource, ttlMs: number, onProblem: (error: SojournError) => void): Promise<Renewals> {
  const { open } = (await import(source.module)) as { readonly open: OpenRenewals<unknown> };
  return open(source.options, ttlMs, onProblem);
}
