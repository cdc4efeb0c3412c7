import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ByteWriter } from "../bytes/writer.js";
import { directoryGrammar } from "../directory/frames.js";
import { clientGrammar, decodeClientFrame, encodeClientFrame } from "./client-frames.js";
import { decodePeerMessage, encodePeerMessage, type PeerMessage, peerGrammar } from "./peer-messages.js";

const PAGE = readFileSync(new URL("../../../../docs/wire.md", import.meta.url), "utf8");

/** A checksum that a test can work out: the sum of all bytes. */
const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => total + byte, 0);

const ACK: PeerMessage = { t: "ack", session: "a/b", epoch: 3, version: 300, hash: 0xdeadbeef, want: "deltas" };
const ACK_BYTES = [11, 3, 0x61, 0x2f, 0x62, 3, 0xac, 0x02, 0xef, 0xbe, 0xad, 0xde, 1];

describe("the wire", () => {
  it("equals docs/wire.md both ways (mend with `npm run docs`)", () => {
    const documented = [...PAGE.matchAll(/^\| (\d+) \| `(\w+)` \| `(.+)` \|$/gm)].map((row) => ({
      code: Number(row[1]),
      name: row[2],
      fields: row[3]?.replaceAll("\\|", "|"),
    }));
    const { requests, replies } = directoryGrammar();
    expect(documented).toEqual([...clientGrammar(), ...peerGrammar(), ...requests, ...replies]);
  });

  it("keeps the bytes of a message between nodes", () => {
    const bytes = encodePeerMessage(new ByteWriter(), sum, ACK);
    expect([...bytes.subarray(0, -4)]).toEqual(ACK_BYTES);
    expect(decodePeerMessage(sum, bytes)).toEqual(ACK);
  });

  it("refuses a message with any bit flipped, cut or of an unknown type", () => {
    const bytes = encodePeerMessage(new ByteWriter(), sum, ACK);
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 1;
      expect(() => decodePeerMessage(sum, damaged)).toThrow(expect.objectContaining({ code: "E_FRAME_CHECKSUM" }));
      expect(() => decodePeerMessage(sum, bytes.subarray(0, at))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^E_FRAME_/) }),
      );
    }
    const unknown = new Uint8Array([200, 0, 200, 0, 0, 0]);
    expect(() => decodePeerMessage(sum, unknown)).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
    const tooLong = new Uint8Array([...ACK_BYTES, 0, 0, 0, 0, 0]);
    new DataView(tooLong.buffer).setUint32(tooLong.length - 4, sum(tooLong.subarray(0, -4)), true);
    expect(() => decodePeerMessage(sum, tooLong)).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
  });

  it("keeps the bytes of client frames", () => {
    const bytes = encodeClientFrame(new ByteWriter(), { t: "input", seq: 1, ack: 2, action: "go", payload: new Uint8Array([9]) });
    expect([...bytes]).toEqual([2, 1, 2, 2, 0x67, 0x6f, 1, 9]);
    expect(decodeClientFrame(bytes)).toEqual({ t: "input", seq: 1, ack: 2, action: "go", payload: new Uint8Array([9]) });
    expect(() => decodeClientFrame(new Uint8Array([99]))).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
    expect(() => decodeClientFrame(new Uint8Array([...bytes, 0]))).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
  });
});
