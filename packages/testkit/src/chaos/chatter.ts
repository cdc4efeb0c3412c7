import { defineSession } from "@sojourn/core";
import type { Audit, ReportReply } from "../books/companion.js";
import { newTally, observe } from "../books/tally.js";

const LINES = 64;
const NEWS_EVERY_MS = 500;

/** A report of a chatter's client. */
export interface ChatterReport {
  readonly n: number;
  readonly text: string;
}

/** A Standard Schema by hand: whoever uses the kit brings the library of their own. */
const Report = {
  "~standard": {
    version: 1,
    vendor: "sojourn-testkit",
    validate(value: unknown) {
      const report = value as Partial<ChatterReport> | null;
      const good = typeof report === "object" && Number.isSafeInteger(report?.n) && typeof report?.text === "string";
      return good ? { value: report as ChatterReport } : { issues: [{ message: "expected { n, text }" }] };
    },
    types: undefined as unknown as { readonly input: ChatterReport; readonly output: ChatterReport },
  },
} as const;

/** A checksum over everything reported so far, in order. */
export function mixReport(sum: number, { n, text }: ChatterReport): number {
  let mixed = sum ^ n;
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193) ^ (mixed >>> 15);
  return mixed >>> 0;
}

/** A session of some kilobytes in which everything both ways is numbered, with a timer that also sends. */
export const chatter = defineSession({
  name: "chatter",
  version: 1,
  failover: "lease",
  state: () => ({ reports: newTally(), sum: 0, newsSent: 0, lines: Array.from({ length: LINES }, (_, i) => `line ${i}: nothing yet`) }),
  events: {} as { news: { readonly k: number } },
  actions: (action) => ({
    report: action(Report, (ctx, report): ReportReply => {
      const { state } = ctx;
      observe(state.reports, report.n);
      state.sum = mixReport(state.sum, report);
      state.lines[report.n % LINES] = report.text;
      if (report.n % 7 === 0) ctx.send(ctx.link.id, "news", { k: ++state.newsSent });
      const { missing, forgotten, doubled, reordered } = state.reports;
      return { n: report.n, missing: missing.length + forgotten, doubled, reordered };
    }),
    /** Ends the talk: no more news after this. */
    audit: action(null, (ctx): Audit => {
      ctx.timers.clear("news");
      const { reports, sum, newsSent } = ctx.state;
      return { reports: { ...reports, missing: [...reports.missing] }, sum, newsSent };
    }),
  }),
  timers: {
    news(ctx) {
      ctx.broadcast("news", { k: ++ctx.state.newsSent });
    },
  },
  onJoin(ctx) {
    ctx.timers.set("news", NEWS_EVERY_MS, { everyMs: NEWS_EVERY_MS });
  },
  onLeave(ctx) {
    ctx.end();
  },
});
