import { TrackedState } from "@sojourn/core";

/**
 * Measures one turn of the change tracker on a 5 KB room: begin + mutation + commit or discard, against the bare mutation.
 * Not measured: encoding of the patch, the session around it.
 */

interface Player {
  name: string;
  pos: { x: number; y: number };
  hp: number;
  tags: string[];
}
interface Room {
  players: Map<string, Player>;
  chat: string[];
  round: number;
}

function room(): Room {
  const players = new Map<string, Player>();
  for (let i = 0; i < 20; i += 1) {
    players.set(`player-${i}`, { name: `Player number ${i}`, pos: { x: i, y: i }, hp: 100, tags: ["a", "b"] });
  }
  return { players, chat: Array.from({ length: 50 }, (_, i) => `message ${i}: some words that somebody typed`), round: 0 };
}

const TURNS: Readonly<Record<string, (room: Room, i: number) => void>> = {
  nothing: () => {},
  "1 field of the root": (r, i) => {
    r.round = i;
  },
  "2 fields of a player's pos": (r, i) => {
    const pos = r.players.get("player-7")?.pos;
    if (pos === undefined) return;
    pos.x = i;
    pos.y = i + 1;
  },
  "pos replaced by a new object": (r, i) => {
    const player = r.players.get("player-7");
    if (player !== undefined) player.pos = { x: i, y: 2 };
  },
  "3 fields of 2 objects": (r, i) => {
    const player = r.players.get("player-3");
    if (player === undefined) return;
    player.hp = i;
    player.pos.x = i;
    r.round = i;
  },
  "chat: push and shift": (r, i) => {
    r.chat.push(i % 2 === 0 ? "hello" : "there");
    r.chat.shift();
  },
  "player leaves and joins": (r) => {
    const player = r.players.get("player-0");
    r.players.delete("player-0");
    if (player !== undefined) r.players.set("player-0", player);
  },
};

/** Processor time of this process: what others do on the machine counts less. */
function cpuMs(): number {
  return process.cpuUsage().user / 1000;
}

function nanosecondsPerCall(act: (i: number) => void, calls: number): number {
  const rounds: number[] = [];
  let i = 0;
  for (let round = 0; round < 7; round += 1) {
    const start = cpuMs();
    for (let k = 0; k < calls; k += 1, i += 1) act(i);
    rounds.push(((cpuMs() - start) / calls) * 1e6);
  }
  return rounds.sort((a, b) => a - b)[3] ?? 0;
}

const calls = 100_000;
console.log("median of 7 rounds, ns a turn");
console.log(`${"turn".padEnd(32)}${"bare".padStart(8)}${"commit".padStart(8)}${"discard".padStart(8)}${"rollback".padStart(9)}`);
for (const [name, mutate] of Object.entries(TURNS)) {
  const bareRoom = room();
  const bare = nanosecondsPerCall((i) => mutate(bareRoom, i), calls);
  const figures = (["commit", "discard", "rollback"] as const).map((end) => {
    const state = new TrackedState(room(), { maxStateDepth: 200 });
    return nanosecondsPerCall((i) => {
      state.begin();
      mutate(state.root, i);
      state[end]();
    }, calls);
  });
  console.log(name.padEnd(32) + [bare, ...figures].map((ns, k) => ns.toFixed(0).padStart(k === 3 ? 9 : 8)).join(""));
}

const readable = new TrackedState(room(), { maxStateDepth: 200 }).root;
let sum = 0;
const perRead = nanosecondsPerCall(() => {
  for (let k = 0; k < 20; k += 1) sum += readable.players.get("player-7")?.pos.x ?? 0;
}, 20_000);
console.log(`read players.get(id).pos.x: ${(perRead / 20).toFixed(0)} ns (4 steps through proxies)`);
const player = readable.players.get("player-7") as Player;
const perField = nanosecondsPerCall(() => {
  for (let k = 0; k < 20; k += 1) sum += player.hp;
}, 20_000);
console.log(
  `read player.hp: ${(perField / 20).toFixed(0)} ns; player.pos: ${(
    nanosecondsPerCall(() => {
      for (let k = 0; k < 20; k += 1) if (player.pos === null) sum += 1;
    }, 20_000) / 20
  ).toFixed(0)} ns (${sum > 0 ? "read" : ""})`,
);
