import type { DirectoryChange } from "@sojourn/core";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../virtual-clock.js";
import { SeededRandom } from "./seeded-random.js";
import { type DiskFault, type DiskRates, VirtualDisk } from "./virtual-store.js";

const NONE: DiskRates = { failedWrite: 0, tornWrite: 0, misdirectedWrite: 0, flippedBit: 0 };
const record = (i: number, revision = 1): DirectoryChange => ({
  type: "record",
  key: `room/${i}`,
  record: {
    revision,
    epoch: 1,
    owner: "a#1",
    inSync: [],
    heir: null,
    ended: false,
    strategy: "replica",
    stored: false,
    writer: `a#1/${i}`,
  },
  previous: null,
});

function disk(rates: Partial<DiskRates> = {}) {
  const made = new VirtualDisk(new VirtualClock(), new SeededRandom(1));
  const faults: DiskFault[] = [];
  made.onFault = (fault) => faults.push(fault);
  made.rates = { ...NONE, ...rates };
  return { made, faults };
}

describe("a simulated disk", () => {
  it("keeps what it has taken", async () => {
    const { made } = disk();
    await made.open().append([record(1), record(2), record(1, 2)]);
    const { records } = await made.open().load();
    expect(new Map(records).get("room/1")?.revision).toBe(2);
    expect([...records]).toHaveLength(2);
  });

  it("names a failed write and a full disk, and has all of it afterwards or nothing", async () => {
    for (const fault of ["failedWrite", "diskFull"] as const) {
      const { made, faults } = disk(fault === "failedWrite" ? { failedWrite: 1 } : {});
      made.full = fault === "diskFull";
      await expect(made.open().append([record(1), record(2)])).rejects.toMatchObject({ code: "E_DISK" });
      expect([0, 2]).toContain(made.records().size);
      expect(faults).toEqual([fault]);
    }
  });

  it.each(["tornWrite", "misdirectedWrite", "flippedBit"] as const)(
    "shows a %s when it is opened, until it is put right",
    async (fault) => {
      for (let seed = 1; seed < 20; seed++) {
        const made = new VirtualDisk(new VirtualClock(), new SeededRandom(seed));
        await made.open().append([record(1), record(2), record(3)]);
        made.rates = { ...NONE, [fault]: 1 };
        await made.open().append([record(4)]);
        expect(made.damaged).toBe(true);
        await expect(made.open().load()).rejects.toMatchObject({ code: "E_DISK" });
        made.repair();
        expect([...(await made.open().load()).records]).toHaveLength(4);
      }
    },
  );

  it("loses to a loss of power only what it has not answered", async () => {
    const clock = new VirtualClock();
    const made = new VirtualDisk(clock, new SeededRandom(1));
    await made.open().append([record(1)]);
    made.appendMs = 5;
    void made.open().append([record(2), record(3)]);
    expect(made.unflushed).toBe(2);
    made.losePower(1);
    expect([...made.records().keys()]).toEqual(["room/1", "room/2"]);
  });
});
