import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteWriter } from "../bytes/writer.js";
import type { SojournError } from "../errors/sojourn-error.js";
import type { RecordDraft, SessionRecord } from "../ports/directory.js";
import {
  type DirectoryReply,
  type DirectoryRequest,
  decodeDirectoryReply,
  decodeDirectoryRequest,
  writeDirectoryReply,
  writeDirectoryRequest,
} from "./frames.js";

const draft: RecordDraft = {
  epoch: 300,
  owner: "a#1",
  inSync: ["b#2"],
  heir: null,
  ended: false,
  strategy: "hybrid",
  stored: true,
  writer: "a#1/7",
};
const record: SessionRecord = { revision: 5, ...draft, heir: "b#2", ended: true };
const info = {
  id: "a",
  place: { region: "eu", lat: 1.5 },
  clientEndpoint: "ws",
  controlEndpoint: "h:1",
  kinds: { room: 2 },
  cordoned: true,
};
const infoHex = "0161 01026575 00 01000000000000f83f 00 027773 03683a31 01 04726f6f6d02 01";
const draftTail = "ac02 03612331 01 03622332 00 00 0201 056123312f37";
const recordHex = "05 ac02 03612331 01 03622332 01 03622332 01 0201 056123312f37";

const requests: [DirectoryRequest, string][] = [
  [{ t: "hello", magic: "SJDR", protocol: 1 }, "01 04534a4452 01"],
  [{ t: "register", id: 1, info, ttlMs: 10_000 }, `02 01 ${infoHex} 904e`],
  [{ t: "renew", id: 2, ref: "a#1" }, "03 02 03612331"],
  [{ t: "update", id: 3, ref: "a#1", info }, `04 03 03612331 ${infoHex}`],
  [{ t: "resign", id: 4, ref: "a#1" }, "05 04 03612331"],
  [{ t: "read", id: 5, key: "r/1" }, "06 05 03722f31"],
  [{ t: "compareAndSet", id: 128, key: "r/1", expectedRevision: 4, draft }, `07 8001 03722f31 04 ${draftTail}`],
  [{ t: "listRecords", id: 7, ref: "a#1" }, "08 07 03612331"],
  [{ t: "watchRecords", id: 8, ref: "a#1" }, "09 08 03612331"],
  [{ t: "watchNodes", id: 9 }, "0a 09"],
  [{ t: "unwatch", id: 9 }, "0b 09"],
  [{ t: "ping", id: 0 }, "0c 00"],
];
const replies: [DirectoryReply, string][] = [
  [{ t: "welcome", protocol: 1 }, "01 01"],
  [{ t: "registered", id: 1, ref: "a#1" }, "02 01 03612331"],
  [{ t: "renewed", id: 2, result: "ended" }, "03 02 01"],
  [{ t: "done", id: 3 }, "04 03"],
  [{ t: "record", id: 5, record }, `05 05 01 ${recordHex}`],
  [{ t: "record", id: 5, record: null }, "05 05 00"],
  [{ t: "applied", id: 128, revision: 5 }, "06 8001 05"],
  [{ t: "conflict", id: 128, current: record }, `07 8001 01 ${recordHex}`],
  [{ t: "someRecords", id: 7, records: [{ key: "r/1", record }] }, `08 07 01 03722f31 ${recordHex}`],
  [{ t: "lastRecords", id: 7, records: [] }, "09 07 00"],
  [{ t: "refused", id: 6, code: "E_X", message: "no" }, "0a 06 03455f58 026e6f"],
  [{ t: "recordChanged", id: 8, key: "r/1", record }, `0b 08 03722f31 ${recordHex}`],
  [{ t: "nodeChanged", id: 9, entry: { ref: "a#1", info, ended: false } }, `0c 09 03612331 ${infoHex} 00`],
  [{ t: "replayed", id: 9 }, "0d 09"],
  [{ t: "problem", code: "E_X", message: "no" }, "0e 03455f58 026e6f"],
];

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from((hex.replaceAll(" ", "").match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)));

describe("directory frames", () => {
  test.each(requests)("request %o has these bytes", (frame, hex) => {
    const writer = new ByteWriter();
    writeDirectoryRequest(writer, frame);
    const bytes = writer.take();
    expect(hexOf(bytes)).toBe(hex.replaceAll(" ", ""));
    expect(decodeDirectoryRequest(bytes)).toEqual(frame);
  });

  test.each(replies)("reply %o has these bytes", (frame, hex) => {
    const writer = new ByteWriter();
    writeDirectoryReply(writer, frame);
    const bytes = writer.take();
    expect(hexOf(bytes)).toBe(hex.replaceAll(" ", ""));
    expect(decodeDirectoryReply(bytes)).toEqual(frame);
  });

  test("a frame that is cut or has bytes too many is malformed", () => {
    for (const [decode, frames] of [
      [decodeDirectoryRequest, requests],
      [decodeDirectoryReply, replies],
    ] as const) {
      for (const [, hex] of frames) {
        const bytes = bytesOf(hex);
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decode(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
        }
        expect(() => decode(Uint8Array.of(...bytes, 0))).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
      }
    }
  });

  test("any bytes give a frame or E_FRAME_MALFORMED", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const decode of [decodeDirectoryRequest, decodeDirectoryReply]) {
          try {
            decode(bytes);
          } catch (error) {
            expect((error as SojournError).code).toBe("E_FRAME_MALFORMED");
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
