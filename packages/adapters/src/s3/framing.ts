import type { DamagedRecord, LogRecord, LogRecords } from "@sojourn/core";

/** Records in one object: each its length as u32, then its bytes. */
export function frameRecords(records: readonly Uint8Array[]): Uint8Array {
  const framed = new Uint8Array(records.reduce((total, { length }) => total + 4 + length, 0));
  const view = new DataView(framed.buffer);
  let at = 0;
  for (const record of records) {
    view.setUint32(at, record.length, true);
    framed.set(record, at + 4);
    at += 4 + record.length;
  }
  return framed;
}

/** The frames; a torn one at the end comes as what is left of it. */
export function splitFrames(framed: Uint8Array): Uint8Array[] {
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < framed.length; ) {
    const start = Math.min(at + 4, framed.length);
    const end = start - at < 4 ? framed.length : Math.min(framed.length, start + view.getUint32(at, true));
    frames.push(framed.subarray(start, end));
    at = end;
  }
  return frames;
}

/** Records from their frames. Where a damaged one ends is taken from the one after it, or from where the last is known to end. */
export function recordsOf(
  session: string,
  frames: readonly Uint8Array[],
  records: LogRecords,
  end: DamagedRecord["damaged"],
): (LogRecord | DamagedRecord)[] {
  let next = end;
  const found: (LogRecord | DamagedRecord)[] = [];
  for (const frame of frames.toReversed()) {
    const record = records.decode(session, frame);
    found.push(record ?? { damaged: next });
    if (record !== null) next = { epoch: record.epoch, version: record.fromVersion };
  }
  return found.reverse();
}
