import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Harness, text } from "../../test-support/channel-harness.js";
import { encodeHello, KIND, wholeFrame } from "./channel-frames.js";
import type { ChannelTls } from "./transport.js";

/** A certificate authority made with the openssl binary for the time of the tests. */
class Authority {
  readonly #dir = mkdtempSync(join(tmpdir(), "sojourn-tls-"));

  constructor() {
    this.#openssl("req", "-x509", ...this.#key("ca"), "-out", this.#at("ca.crt"), "-subj", "/CN=test authority", "-days", "2");
  }

  issue(name: string, subject: string, alternative?: string): ChannelTls {
    this.#openssl("req", ...this.#key(name), "-out", this.#at(`${name}.csr`), "-subj", subject);
    writeFileSync(this.#at(`${name}.ext`), alternative === undefined ? "" : `subjectAltName=${alternative}\n`);
    const [csr, crt, ext] = ["csr", "crt", "ext"].map((kind) => this.#at(`${name}.${kind}`)) as [string, string, string];
    const ca = ["-CA", this.#at("ca.crt"), "-CAkey", this.#at("ca.key"), "-CAcreateserial"];
    this.#openssl("x509", "-req", "-in", csr, ...ca, "-out", crt, "-days", "2", "-extfile", ext);
    return { ca: readFileSync(this.#at("ca.crt")), cert: readFileSync(crt), key: readFileSync(this.#at(`${name}.key`)) };
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #at(file: string): string {
    return join(this.#dir, file);
  }

  #key(name: string): string[] {
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", this.#at(`${name}.key`)];
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { stdio: "pipe" });
  }
}

let authority: Authority;
let other: Authority;
let a1: ChannelTls;
let b1: ChannelTls;
let harness: Harness;
beforeAll(() => {
  authority = new Authority();
  other = new Authority();
  a1 = authority.issue("a", "/CN=a");
  b1 = authority.issue("b", "/CN=something else", "DNS:b,DNS:b.example");
});
afterAll(() => {
  authority.remove();
  other.remove();
});
beforeEach(() => {
  harness = new Harness();
});
afterEach(() => harness.close());

describe("mutual TLS", () => {
  it("connects nodes whose certificates name them, by common or by alternative name", async () => {
    const a = await harness.node("a#1", { tls: a1 });
    const b = await harness.node("b#1", { tls: b1 });
    await harness.couple(a, b);
    for (let i = 0; i < 100; i++) {
      a.peers.send("b#1", "control", text(`${i}`));
      b.peers.send("a#1", "bulk", new Uint8Array(100_000));
    }
    let bytes = 0;
    a.onMessage = (_from, message) => {
      bytes += message.length;
    };
    await b.signal.until(() => b.log.length === 101);
    await a.signal.until(() => bytes === 10_000_000);
    expect(b.log.slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => `${i} from a#1`));
    expect([...a.problems, ...b.problems]).toEqual([]);
  });

  it("refuses a server that is not the node that was dialled", async () => {
    const a = await harness.node("a#1", { tls: a1 });
    const imposter = await harness.node("c#1", { tls: b1 });
    a.peers.reach("c#1", imposter.peers.address);
    await a.signal.until(() => a.problems.length > 0);
    expect(a.problems[0]).toBe('c#1 E_PEER_IDENTITY the certificate is not for node "c"');
    expect(imposter.log).toEqual([]);
  });

  it("refuses a dialler that calls itself by another node's name", async () => {
    const b = await harness.node("b#1", { tls: b1 });
    const imposter = await harness.node("c#1", { tls: a1 });
    imposter.peers.reach("b#1", b.peers.address);
    await imposter.signal.until(() => imposter.problems.length > 0);
    expect(imposter.problems[0]).toBe('b#1 E_PEER_IDENTITY the certificate is not for node "c"');
    expect(b.problems[0]).toBe('? E_PEER_IDENTITY the certificate is not for node "c"');
    expect(b.log).toEqual([]);
  });

  it("refuses certificates of another authority on both sides", async () => {
    const b = await harness.node("b#1", { tls: b1 });
    const foreign = { ...other.issue("a", "/CN=a"), ca: a1.ca };
    const a = await harness.node("a#1", { tls: foreign });
    a.peers.reach("b#1", b.peers.address);
    await Promise.all([a.signal.until(() => a.problems.length > 0), b.signal.until(() => b.problems.length > 0)]);
    expect(a.problems[0]).toContain("b#1 E_PEER_IDENTITY");
    expect(b.problems[0]).toContain("? E_PEER_IDENTITY");
    b.peers.reach("a#1", a.peers.address);
    await b.signal.until(() => b.problems.some((p) => p.startsWith("a#1 E_PEER_IDENTITY")));
    expect([...a.log, ...b.log]).toEqual([]);
  });

  it("refuses plain TCP", async () => {
    const b = await harness.node("b#1", { tls: b1 });
    const raw = await harness.raw(b.peers.address);
    raw.socket.removeAllListeners("data");
    raw.socket.resume();
    raw.socket.write(wholeFrame(KIND.hello, encodeHello({ lane: "control", stamp: 1, pairStamp: 0, from: "a#1", to: "b#1" })));
    await raw.whenClosed();
    await b.signal.until(() => b.problems.length > 0);
    expect(b.problems[0]).toContain("? E_PEER_IDENTITY");
    expect(b.log).toEqual([]);
  });

  it("takes leaving in the middle of the handshake for what it is: a dial that was given up", async () => {
    const b = await harness.node("b#1", { tls: b1 });
    const gone = await harness.raw(b.peers.address);
    gone.socket.end();
    await gone.whenClosed();
    const stranger = await harness.raw(b.peers.address);
    stranger.socket.removeAllListeners("data");
    stranger.socket.resume();
    stranger.socket.write("GET / HTTP/1.1\r\n\r\n");
    await b.signal.until(() => b.problems.length > 0);
    expect(b.problems).toEqual([expect.stringMatching(/^\? E_PEER_IDENTITY .*http request/)]);
  });

  it("lets an allow function decide instead of the names", async () => {
    const seen: string[] = [];
    const allow: ChannelTls["allow"] = (nodeId, certificate) => {
      seen.push(`${nodeId} ${certificate.subject.CN}`);
      return true;
    };
    const b = await harness.node("b#1", { tls: { ...b1, allow } });
    const c = await harness.node("c#1", { tls: a1 });
    await harness.couple(c, b);
    expect(seen[0]).toBe("c a");
  });
});
