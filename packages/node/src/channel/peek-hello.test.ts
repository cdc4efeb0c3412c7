import { describe, expect, test } from "vitest";
import { encodeHello, KIND, wholeFrame } from "./channel-frames.js";
import { peekHello } from "./peek-hello.js";

const frame = wholeFrame(KIND.hello, encodeHello({ lane: "bulk", stamp: 3, pairStamp: 2, from: "a#1", to: "b#12" }));

describe("a look at who speaks to whom", () => {
  test("waits until the hello is whole, and minds nothing behind it", () => {
    for (let cut = 0; cut < frame.length; cut++) expect(peekHello(frame.subarray(0, cut))).toBeNull();
    expect(peekHello(frame)).toEqual({ from: "a#1", to: "b#12" });
    expect(peekHello(Buffer.concat([frame, Buffer.from([1, 2, 3])]))).toEqual({ from: "a#1", to: "b#12" });
  });

  test.each([
    ["another kind of frame", wholeFrame(KIND.ping, new Uint8Array(1))],
    ["a frame too long for a hello", Buffer.from([0xff, 0xff, 0xff, 0x7f, KIND.hello])],
    ["something else", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ])("refuses %s", (_, bytes) => {
    expect(() => peekHello(bytes)).toThrow(expect.objectContaining({ code: "E_FRAME_MALFORMED" }));
  });
});
