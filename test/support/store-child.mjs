// Writes to a store on disk until it is killed, or until the disk is full; tells what was acknowledged on standard output.
import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { openDiskDirectoryStore, openDiskSessionStore } from "@sojourn/adapters/disk";

const [mode, path] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const SESSIONS = Array.from({ length: 8 }, (_, i) => `room/${i}`);

/** A made-up session that goes on from where the store has it. */
function writer(session, start, epoch) {
  let { version, hash } = start;
  return {
    at: () => ({ epoch, version, hash }),
    base: () => ({ epoch, version, hash, stateVersion: 1, chunks: [new Uint8Array(5_000).fill(version)], table: () => null }),
    turn(bytes) {
      const fromVersion = version;
      const fromHash = hash;
      const delta = new Uint8Array(bytes).fill(++version);
      hash = crc32(delta, hash);
      return { session, record: { epoch, fromVersion, fromHash, version, hash, deltas: [delta], table: null } };
    },
  };
}

async function writeUntilKilled() {
  const store = await openDiskSessionStore({ path });
  const write = async (session) => {
    const replica = await store.read(session);
    const epoch = (replica?.fence ?? 0) + 1;
    await store.fence(session, epoch);
    const it = writer(session, replica?.end ?? { version: 0, hash: 0 }, epoch);
    if (replica === null) await store.putBase(session, it.base());
    for (let i = 0; ; i++) {
      const [outcome] = await store.append([it.turn(200)]);
      if (outcome.outcome !== "appended") throw new Error(outcome.outcome);
      say({ session, version: it.at().version });
      if (i % 20 === 19) await store.putBase(session, it.base());
      if (i % 40 === 39) await store.prune(session, 2);
    }
  };
  await Promise.all(SESSIONS.map(write));
}

/** On a small file system of its own, in a mount namespace of its own. */
async function fillTheDisk() {
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", path]);
  if (mounted.status !== 0) throw new Error(`no small file system: ${mounted.stderr}`);
  writeFileSync(`${path}/ballast`, new Uint8Array(2_000_000));
  const directory = openDiskDirectoryStore({ path: `${path}/directory`, crc32: (bytes, seed = 0) => crc32(bytes, seed) });
  const store = await openDiskSessionStore({ path: `${path}/sessions` });
  const it = writer("room/a", { version: 0, hash: 0 }, 1);
  await store.putBase("room/a", it.base());
  let acknowledged = 0;
  let full;
  const turns = [];
  while (full === undefined) {
    const entry = it.turn(100_000);
    turns.push(entry);
    const [outcome] = await store.append([entry]);
    if (outcome.outcome === "appended") acknowledged = entry.record.version;
    else full = outcome.error.code;
  }
  const large = { ...it.base(), chunks: Array(60).fill(new Uint8Array(100_000)) };
  const base = await store.putBase("room/b", large).then(
    ({ outcome }) => outcome,
    (error) => error.code,
  );
  const kept = (await store.read("room/a")).end.version;
  const refused = await fillTheDirectory(directory);
  // Room again: what was refused is taken when it is sent again.
  rmSync(`${path}/ballast`);
  const [again] = await store.append([turns.at(-1)]);
  const end = await store.read("room/a");
  say({ acknowledged, full, base, kept, directory: refused, again: again.outcome, end: end.end.version, damage: end.damage });
  await store.close();
}

/** The directory's store meets the same full disk. */
async function fillTheDirectory(store) {
  const record = { revision: 1, epoch: 1, owner: "a#1", inSync: ["b#1"], heir: null, ended: false, writer: "a#1/1" };
  try {
    for (let i = 0; ; i++) {
      const changes = Array.from({ length: 50 }, (_, n) => ({
        type: "record",
        key: `room/${i}.${n}${"x".repeat(200)}`,
        record,
        previous: null,
      }));
      await store.append(changes);
    }
  } catch (error) {
    return error.code;
  }
}

await (mode === "full" ? fillTheDisk() : writeUntilKilled());
