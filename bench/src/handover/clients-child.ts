import { connect, type SessionClient } from "@sojourn/client/node";
import { answerCommands } from "../common/child.js";
import { ioBytes } from "../common/io-bytes.js";
import type { bench } from "./session.js";

/** One message's way there and back, on the machine's monotonic clock. */
export interface MessageTimes {
  readonly session: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** What clients counted against what they sent. */
export interface ClientsResult {
  readonly messages: readonly MessageTimes[];
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly switches: number;
}

interface Talker {
  readonly session: string;
  readonly client: SessionClient<typeof bench>;
  sent: number;
  answered: number;
}

const talkers: Talker[] = [];
const errors: Record<string, number> = {};
let reordered = 0;
let doubled = 0;

const machineMs = () => Number(process.hrtime.bigint()) / 1e6;

/** @param options.spread whether clients connect to all endpoints in turn, which then own the sessions (default), or all to the first */
async function open(options: { sessions: string[]; endpoints: string[]; spread?: boolean }): Promise<void> {
  await Promise.all(
    options.sessions.map(async (session, i) => {
      const first = options.endpoints[options.spread === false ? 0 : i % options.endpoints.length] as string;
      const endpoints = [first, ...options.endpoints.filter((endpoint) => endpoint !== first)];
      const client = await connect<typeof bench>({ endpoints, session, limits: { switchSpreadMs: 0 } });
      talkers.push({ session, client, sent: 0, answered: 0 });
    }),
  );
}

/** Every client says the next number every `everyMs`, evenly spread, for a time; then all answers are awaited. */
async function talk(options: { everyMs: number; forMs: number; sessions: string[] }): Promise<ClientsResult> {
  const chosen = new Set(options.sessions);
  const talking = talkers.filter((talker) => chosen.has(talker.session));
  const messages: MessageTimes[] = [];
  const open: Promise<void>[] = [];
  const startedAtMs = machineMs();
  const endAtMs = startedAtMs + options.forMs;
  const due = talking.map((_, i) => startedAtMs + (options.everyMs * i) / talking.length);
  const sockets = talking.reduce((sum, { client }) => sum + client.stats().handovers, 0);
  let sent = 0;
  await new Promise<void>((resolve) => {
    const tick = () => {
      const now = machineMs();
      if (now >= endAtMs) {
        resolve();
        return;
      }
      for (let i = 0; i < talking.length; i++) {
        if ((due[i] as number) > now) continue;
        due[i] = (due[i] as number) + options.everyMs;
        sent++;
        open.push(say(talking[i] as Talker, messages));
      }
      setTimeout(tick, 1);
    };
    tick();
  });
  await Promise.all(open);
  let lost = 0;
  for (const talker of talking) {
    const { seen, wrong } = await talker.client.call.audit();
    lost += Math.max(0, talker.sent - seen) + (talker.sent - talker.answered);
    reordered += wrong;
  }
  const switches = talking.reduce((sum, { client }) => sum + client.stats().handovers, 0) - sockets;
  return { messages, sent, lost, doubled, reordered, errors, switches };
}

async function say(talker: Talker, messages: MessageTimes[]): Promise<void> {
  talker.sent++;
  const n = talker.sent;
  const sentAtMs = machineMs();
  try {
    const answer = await talker.client.call.say(n);
    talker.answered++;
    if (answer !== n) reordered++;
    if (talker.answered > n) doubled++;
    messages.push({ session: talker.session, sentAtMs, answeredAtMs: machineMs() });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    errors[text] = (errors[text] ?? 0) + 1;
  }
}

/** Every client says the next number as soon as the one before is answered, for a time or so many answers. @returns answers a second */
async function hammer(options: { sessions: string[]; forMs: number; most?: number }): Promise<number> {
  const { most = Number.POSITIVE_INFINITY } = options;
  const chosen = new Set(options.sessions);
  const startedAtMs = machineMs();
  const endAtMs = startedAtMs + options.forMs;
  let answered = 0;
  await Promise.all(
    talkers
      .filter(({ session }) => chosen.has(session))
      .map(async (talker) => {
        while (machineMs() < endAtMs && answered < most) {
          talker.sent++;
          await talker.client.call.say(talker.sent);
          talker.answered++;
          answered++;
        }
      }),
  );
  return (answered * 1_000) / (machineMs() - startedAtMs);
}

/** Closes the clients of these sessions. */
function leave(sessions: readonly string[]): void {
  const leaving = new Set(sessions);
  for (const { client } of talkers.filter(({ session }) => leaving.has(session))) client.close();
  const staying = talkers.filter(({ session }) => !leaving.has(session));
  talkers.splice(0, talkers.length, ...staying);
}

/** A new client of a session: milliseconds from connecting to its first answer, and what that says. */
async function first({ session, endpoints }: { session: string; endpoints: string[] }): Promise<{ tookMs: number; seen: number }> {
  const startedAtMs = machineMs();
  const client = await connect<typeof bench>({ endpoints, session, limits: { switchSpreadMs: 0 } });
  const { seen } = await client.call.audit();
  const tookMs = machineMs() - startedAtMs;
  client.close();
  return { tookMs, seen };
}

answerCommands({
  open,
  talk,
  hammer,
  leave,
  first,
  cpu: () => process.cpuUsage(),
  readBytes: () => ioBytes("rchar"),
  close() {
    for (const { client } of talkers.splice(0)) client.close();
  },
});
