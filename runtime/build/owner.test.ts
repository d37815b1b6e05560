import { expect } from "chai";
import { parseOwner } from "./owner.ts";

const FILES = {
  passwd: "root:x:0:0::/root:/bin/sh\nwww:x:33:33::/:/bin/false\nbroken:x\n",
  group: "root:x:0:\nwww:x:34:\nstaff:x:50:www\n",
};

const CASES: readonly (readonly [text: string, uid: number, gid: number])[] = [
  ["0", 0, 0],
  ["1000", 1000, 1000],
  ["1000:50", 1000, 50],
  ["www", 33, 34],
  ["www:staff", 33, 50],
  ["www:7", 33, 7],
  ["7:staff", 7, 50],
];

describe("build: owners", () => {
  for (const [text, uid, gid] of CASES)
    it(text, () => expect(parseOwner(text, FILES)).to.deep.equal({ uid, gid }));

  for (const text of [
    "nobody",
    "www:nobody",
    "a:b:c",
    "broken",
    ":staff",
    "99999999999",
    "4294967295",
  ])
    it(`refuses ${text}`, () =>
      expect(() => parseOwner(text, FILES)).to.throw("unable to convert uid/gid chown string"));
});
