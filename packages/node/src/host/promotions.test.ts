import { expect, it } from "vitest";
import { Promotions } from "./promotions.js";

it("begins a bounded number of take-overs at a time, the most important first", () => {
  const promotions = new Promotions(2);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const submit = (name: string, priority: "critical" | "normal" | "anonymous") =>
    promotions.submit(priority, (done) => {
      begun.push(name);
      ends.set(name, done);
    });
  submit("n1", "normal");
  submit("a1", "anonymous");
  submit("a2", "anonymous");
  submit("n2", "normal");
  submit("c1", "critical");
  submit("n3", "normal");
  expect(begun).toEqual(["n1", "a1"]);
  expect([promotions.inFlight, promotions.waiting]).toEqual([2, 4]);
  ends.get("a1")?.();
  ends.get("a1")?.(); // told twice: counts once
  expect(begun).toEqual(["n1", "a1", "c1"]);
  for (const name of ["n1", "c1", "n2", "n3", "a2"]) ends.get(name)?.();
  expect(begun).toEqual(["n1", "a1", "c1", "n2", "n3", "a2"]);
  expect([promotions.inFlight, promotions.waiting]).toEqual([0, 0]);
});

it("goes on when a take-over ends at once, and begins nothing once it has stopped", () => {
  const promotions = new Promotions(1);
  let ended = 0;
  for (let i = 0; i < 1_000; i++) {
    promotions.submit("normal", (done) => {
      ended++;
      done();
    });
  }
  expect(ended).toBe(1_000);
  let end = () => {};
  promotions.submit("normal", (done) => {
    end = done;
  });
  promotions.submit("critical", () => {
    ended++;
  });
  promotions.stop();
  end();
  expect(ended).toBe(1_000);
});
