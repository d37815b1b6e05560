import { expect } from "chai";
import { DetachScanner, parseDetachKeys } from "./detach-keys.ts";
import { ClusterError } from "./errors.ts";

describe("keys to detach by", () => {
  const good: { text: string; keys: number[] }[] = [
    { text: "", keys: [16, 17] },
    { text: "ctrl-p,ctrl-q", keys: [16, 17] },
    { text: "a,b", keys: [97, 98] },
    { text: "ctrl-@,ctrl-[,ctrl-_,~", keys: [0, 27, 31, 126] },
    { text: "DEL", keys: [127] },
  ];
  for (const { text, keys } of good)
    it(`${JSON.stringify(text)} are ${keys}`, () =>
      expect([...parseDetachKeys(text)]).to.deep.equal(keys));

  const bad = [
    "ctrl-p,",
    "ctrl-A",
    "ctrl-",
    "ab",
    "é",
    "ctrl-pq",
    "del",
    Array(33).fill("a").join(","),
  ];
  for (const text of bad)
    it(`${JSON.stringify(text.slice(0, 10))} are none`, () =>
      expect(() => parseDetachKeys(text)).to.throw(
        ClusterError,
        `Invalid detach keys (${text}) provided`,
      ));

  const scans: { name: string; keys: string; typed: string[]; data: string; left: boolean }[] = [
    { name: "nothing", keys: "a,b", typed: ["xyz"], data: "xyz", left: false },
    { name: "at once", keys: "a,b", typed: ["xabrest"], data: "x", left: true },
    { name: "key by key", keys: "a,b", typed: ["a", "b"], data: "", left: true },
    { name: "half of them", keys: "a,b", typed: ["a", "c"], data: "ac", left: false },
    { name: "the first twice", keys: "a,b", typed: ["aab"], data: "a", left: true },
    { name: "a beginning in a beginning", keys: "a,a,b", typed: ["aaab"], data: "a", left: true },
    { name: "a longer one", keys: "a,b,a,c", typed: ["aba", "bac"], data: "ab", left: true },
    { name: "one key", keys: "q", typed: ["xq"], data: "x", left: true },
  ];
  for (const { name, keys, typed, data, left } of scans)
    it(`are found in what is typed: ${name}`, () => {
      const scanner = new DetachScanner(parseDetachKeys(keys));
      const seen = typed.map((text) => scanner.scan(Buffer.from(text)));
      expect(Buffer.concat(seen.map((one) => one.data)).toString()).to.equal(data);
      expect(seen.some((one) => one.detached)).to.equal(left);
    });
});
