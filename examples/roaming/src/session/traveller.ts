import { defineSession } from "@sojourn/core";
import { type Audit, newTally, observe, type ReportReply, type Tally } from "@sojourn/testkit/books";
import { maxValue, minValue, number, object, pipe, safeInteger } from "valibot";
import { chained } from "./checksum.js";

/** One entry of the journal. */
export interface JournalEntry {
  readonly n: number;
  readonly lat: number;
  readonly lon: number;
  readonly atMs: number;
}

/** A thing that the traveller carries. */
export interface Item {
  readonly name: string;
  count: number;
  readonly tags: readonly string[];
}

/** The session of one traveller: about 5 KB of plain data. */
export interface TravellerState {
  name: string;
  position: { lat: number; lon: number };
  inventory: Map<string, Item>;
  chat: string[];
  /** The latest reports; the place of number n is n modulo its length. */
  journal: JournalEntry[];
  /** What became of the numbered reports. */
  reports: Tally;
  /** Checksum over all reports in order; would show a turn that was lost from the state, or applied twice. */
  sum: number;
  /** Events sent so far; each carries its number. */
  newsSent: number;
  nodesVisited: string[];
}

const JOURNAL_ENTRIES = 40;
const CHAT_LINES = 16;
const ITEMS = 20;
const VISITS_KEPT = 16;
const NEWS_EVERY_MS = 1_000;
/** One report in so many is answered with news besides. */
const NEWS_EVERY_REPORTS = 5;
const GOODS = ["compass", "map", "umbrella", "thermos", "camera", "notebook", "lantern", "rope", "ticket", "postcard"];

const Report = object({
  n: pipe(number(), safeInteger(), minValue(1)),
  lat: pipe(number(), minValue(-90), maxValue(90)),
  lon: pipe(number(), minValue(-180), maxValue(180)),
});

function freshState(): TravellerState {
  return {
    name: "",
    position: { lat: 0, lon: 0 },
    inventory: new Map(
      Array.from({ length: ITEMS }, (_, i) => [
        `item-${i}`,
        { name: `${GOODS[i % GOODS.length]} no. ${i}`, count: 1 + (i % 3), tags: ["carried", i % 2 === 0 ? "light" : "heavy"] },
      ]),
    ),
    chat: Array.from({ length: CHAT_LINES }, (_, i) => `line ${i}: nobody has said anything worth writing down yet`),
    journal: Array.from({ length: JOURNAL_ENTRIES }, () => ({ n: 0, lat: 0, lon: 0, atMs: 0 })),
    reports: newTally(),
    sum: 0,
    newsSent: 0,
    nodesVisited: [],
  };
}

/** A traveller: reports where it is, and gets news. Everything both ways is numbered, so that either end can tell what went wrong. */
export const traveller = defineSession({
  name: "traveller",
  version: 1,
  state: freshState,
  events: {} as { news: { readonly k: number } },
  actions: (action) => ({
    report: action(Report, (ctx, { n, lat, lon }): ReportReply => {
      const { state } = ctx;
      const { reports, position } = state;
      observe(reports, n);
      state.sum = chained(state.sum, n, lat, lon);
      position.lat = lat;
      position.lon = lon;
      state.journal[n % JOURNAL_ENTRIES] = { n, lat, lon, atMs: ctx.now };
      const item = state.inventory.get(`item-${n % ITEMS}`);
      if (item !== undefined) item.count = 1 + (n % 9);
      if (n % NEWS_EVERY_REPORTS === 0) {
        state.chat[(n / NEWS_EVERY_REPORTS) % CHAT_LINES] = `report ${n} came from ${lat.toFixed(3)}, ${lon.toFixed(3)} on the way`;
        ctx.send(ctx.link.id, "news", { k: ++state.newsSent });
      }
      const { missing, forgotten, doubled, reordered } = reports;
      return { n, missing: missing.length + forgotten, doubled, reordered };
    }),
    /** Ends the journey: no more news after this. */
    audit: action(null, (ctx): Audit => {
      ctx.timers.clear("news");
      const { reports, sum, newsSent } = ctx.state;
      const { next, missing, forgotten, doubled, reordered } = reports;
      return { reports: { next, missing: [...missing], forgotten, doubled, reordered }, sum, newsSent };
    }),
  }),
  timers: {
    news(ctx) {
      ctx.broadcast("news", { k: ++ctx.state.newsSent });
    },
  },
  onJoin(ctx, link) {
    ctx.state.name = link.id;
    ctx.timers.set("news", NEWS_EVERY_MS, { everyMs: NEWS_EVERY_MS });
  },
  onLeave(ctx) {
    ctx.end();
  },
  onAfterMove(ctx, { from }) {
    const { nodesVisited } = ctx.state;
    nodesVisited.push(from);
    if (nodesVisited.length > VISITS_KEPT) nodesVisited.shift();
  },
});
