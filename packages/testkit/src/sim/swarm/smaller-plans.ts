import type { PlannedEvent, SeedPlan } from "./plan.js";

/** One attempt to make a plan smaller. */
export interface Smaller {
  /** What is left out, for people. */
  readonly what: string;
  readonly plan: SeedPlan;
}

const NETWORK_FAULTS = ["jitterMs", "spikeMs", "loss", "duplication", "replay", "reordering", "corruption"] as const;
const DIRECTORY_FAULTS = ["lostAnswers", "lateWrites", "appendMs"] as const;
/** Time after the last event in which what it began may come out. */
const AFTERMATH_MS = 2_000;
const MIN_ACTIVE_MS = 500;
/** Clients need a moment to be there. */
const FIRST_EVENT_MS = 500;
const SELDOM_MS = 60_000;

/** Plans that are smaller than this one by one thing, the greatest savings first. All but its events, which `withoutEvents` is for. */
export function* smallerPlans(plan: SeedPlan): Generator<Smaller> {
  for (let session = plan.sessions.length - 1; session >= 0 && plan.sessions.length > 1; session--)
    yield { what: `session ${session}`, plan: withoutSession(plan, session) };
  for (const name of NETWORK_FAULTS)
    if ((plan.network[name] ?? 0) > 0) yield { what: `network ${name}`, plan: { ...plan, network: { ...plan.network, [name]: 0 } } };
  for (const name of DIRECTORY_FAULTS)
    if (plan.directory[name] > 0) yield { what: `directory ${name}`, plan: { ...plan, directory: { ...plan.directory, [name]: 0 } } };
  const { disk, ...directory } = plan.directory;
  if (disk !== undefined) yield { what: "faults of the disk", plan: { ...plan, directory } };
  const { firstEpoch, ...earlier } = plan;
  if (firstEpoch !== undefined) yield { what: "late epochs", plan: earlier };
  if (plan.rates.length > 0) yield { what: "clock rates", plan: { ...plan, rates: [] } };
  if (plan.newer.length > 0) yield { what: "newer code", plan: { ...plan, newer: [] } };
  if (plan.nodes > 2)
    yield { what: "a node", plan: { ...plan, nodes: plan.nodes - 1, newer: plan.newer.filter((n) => n < plan.nodes - 1) } };
  for (const [i, { clients, talkMs }] of plan.sessions.entries()) {
    if (clients > 1) yield { what: `a client of session ${i}`, plan: withSession(plan, i, { clients: clients - 1 }) };
    if (talkMs < SELDOM_MS) yield { what: `talk in session ${i}`, plan: withSession(plan, i, { talkMs: SELDOM_MS }) };
  }
  const early = (plan.events[0]?.atMs ?? 0) - FIRST_EVENT_MS;
  if (early > 0) {
    const events = plan.events.map((event) => ({ ...event, atMs: event.atMs - early }));
    yield {
      what: `${early} ms before the first event`,
      plan: { ...plan, events, activeMs: Math.max(MIN_ACTIVE_MS, plan.activeMs - early) },
    };
  }
  for (const activeMs of shorterTimes(plan))
    yield {
      what: `time down to ${activeMs} ms`,
      plan: { ...plan, activeMs, events: plan.events.filter(({ atMs }) => atMs < activeMs) },
    };
}

/** The plan without some of its events. */
export function withoutEvents(plan: SeedPlan, from: number, count: number): SeedPlan {
  return { ...plan, events: [...plan.events.slice(0, from), ...plan.events.slice(from + count)] };
}

function withSession(plan: SeedPlan, at: number, change: Partial<SeedPlan["sessions"][number]>): SeedPlan {
  return { ...plan, sessions: plan.sessions.map((session, i) => (i === at ? { ...session, ...change } : session)) };
}

/** Sessions are known by their place: those behind move up. */
function withoutSession(plan: SeedPlan, at: number): SeedPlan {
  const moveUp = (n: number) => (n > at ? n - 1 : n);
  const events: PlannedEvent[] = [];
  for (const event of plan.events) {
    const ofSessions = event.do === "cross";
    if (event.session === at || (ofSessions && event.other === at)) continue;
    events.push({
      ...event,
      ...(event.session !== undefined && { session: moveUp(event.session) }),
      ...(ofSessions && event.other !== undefined && { other: moveUp(event.other) }),
    });
  }
  return { ...plan, sessions: plan.sessions.filter((_, i) => i !== at), events };
}

function shorterTimes({ activeMs, events }: SeedPlan): number[] {
  const untilLast = Math.max(MIN_ACTIVE_MS, (events.at(-1)?.atMs ?? 0) + AFTERMATH_MS);
  const times = [activeMs / 4, activeMs / 2, untilLast, activeMs * 0.75, activeMs * 0.9].map(Math.round);
  return times.filter((time) => time >= MIN_ACTIVE_MS && time < activeMs);
}
