import { expect } from "chai";
import { durationNs } from "./duration.ts";

describe("durations", () => {
  for (const { text, ns } of [
    { text: "1h30m", ns: 5400e9 },
    { text: "1.5s", ns: 1.5e9 },
    { text: "1.s", ns: 1e9 },
    { text: "2us3ns", ns: 2003 },
    { text: "0s", ns: 0 },
  ]) {
    it(`reads ${text}`, () => {
      expect(durationNs(text)).to.equal(ns);
    });
  }

  for (const text of ["", "5", "s", "-1s", "1d", "1s ", ".5s", "1h30"]) {
    it(`takes "${text}" for none`, () => {
      expect(durationNs(text)).to.equal(undefined);
    });
  }
});
