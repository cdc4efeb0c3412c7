import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryDirectoryStore } from "@sojourn/adapters/memory";
import { type NodeInfo, resolveLimits, type SojournError } from "@sojourn/core";
import { Recorder, VirtualClock } from "@sojourn/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSystemClock } from "../system/clock.js";
import { systemCrc32 } from "../system/crc32.js";
import { createSystemRandom } from "../system/random.js";
import { connectDirectory } from "./client.js";
import { startDirectoryServer } from "./server.js";

const info: NodeInfo = { id: "a", place: {}, clientEndpoint: "", controlEndpoint: "", kinds: {}, cordoned: false };
const limits = resolveLimits({ directoryRetryMs: 1 });
let folder: string;

/** A self-signed certificate, made with the openssl binary for the time of the tests; each trusts only itself. */
function certificate(name: string): { key: Buffer; cert: Buffer } {
  const key = join(folder, `${name}.key`);
  const cert = join(folder, `${name}.crt`);
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const what = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert, ...what], { stdio: "pipe" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sojourn-directory-tls-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("with mutual TLS only a client with a trusted certificate is served", async () => {
  const trusted = certificate("trusted");
  const stranger = certificate("stranger");
  const server = await startDirectoryServer({
    listen: { host: "127.0.0.1", port: 0 },
    store: createMemoryDirectoryStore(),
    limits,
    clock: new VirtualClock(),
    crc32: systemCrc32,
    tls: { ...trusted, ca: trusted.cert },
  });
  const open = (tls: { key?: Buffer; cert?: Buffer; ca: Buffer }, clock = createSystemClock()) =>
    connectDirectory({ endpoint: server.endpoint, limits, clock, random: createSystemRandom(), crc32: systemCrc32, tls });
  const client = open({ ...trusted, ca: trusted.cert });
  expect(await client.register(info, 60_000)).toBe("a#1");

  for (const refused of [{ ca: trusted.cert }, { ...stranger, ca: trusted.cert }, { ...trusted, ca: stranger.cert }]) {
    const clock = new VirtualClock();
    const other = open(refused, clock);
    const code = new Recorder<string>();
    other.read("r/1").catch((error: SojournError) => code.record(error.code));
    clock.advance(limits.directoryTimeoutMs);
    expect(await code.until(() => true)).toBe("E_DIRECTORY_UNAVAILABLE");
    await other.close();
  }
  expect(await client.renew("a#1")).toBe("renewed");
  await client.close();
  await server.close();
});
