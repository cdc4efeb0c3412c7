/** A state of about 5 KB as JSON: twenty players and a short chat. */
export interface BenchState {
  players: Map<string, { name: string; pos: { x: number; y: number }; health: number; items: string[] }>;
  chat: string[];
  seen: number;
}

/** Always the same state. */
export function benchState(): BenchState {
  const players: BenchState["players"] = new Map();
  for (let i = 0; i < 20; i++) {
    players.set(`player-${i}`, {
      name: `Player number ${i}`,
      pos: { x: i * 17.25, y: i * -3.5 },
      health: 100 - i,
      items: ["sword", "rope", `key-${i}`, "lamp", "bread"],
    });
  }
  const chat = Array.from({ length: 24 }, (_, i) => `message ${i}: the quick brown fox jumps over the lazy dog, again and again and again`);
  return { players, chat, seen: 0 };
}
