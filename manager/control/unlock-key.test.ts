import { expect } from "chai";
import { nextUnlockKey } from "./cluster.ts";

const KEY = Buffer.alloc(32, 1);
const NEXT = Buffer.alloc(32, 2);
const LOCKED = { key: KEY, version: 3 };
const OPEN = { key: Buffer.alloc(0), version: 4 };

describe("control: the unlock key after an update", () => {
  for (const { name, current, isLocked, rotate = false, expected } of [
    { name: "stays absent", current: undefined, isLocked: false, expected: undefined },
    { name: "is made", current: undefined, isLocked: true, expected: { key: NEXT, version: 1 } },
    { name: "stays", current: LOCKED, isLocked: true, expected: LOCKED },
    {
      name: "is rotated",
      current: LOCKED,
      isLocked: true,
      rotate: true,
      expected: { key: NEXT, version: 4 },
    },
    { name: "goes, as a change", current: LOCKED, isLocked: false, expected: OPEN },
    { name: "stays gone", current: OPEN, isLocked: false, expected: OPEN },
    { name: "comes back new", current: OPEN, isLocked: true, expected: { key: NEXT, version: 5 } },
  ]) {
    it(name, () => {
      const next = nextUnlockKey(current, { isLocked, rotate, newKey: () => NEXT });
      expect(next).to.deep.equal(expected);
    });
  }

  it("is not rotated where there is no lock", () => {
    const wanted = { isLocked: false, rotate: true, newKey: () => NEXT };
    expect(() => nextUnlockKey(undefined, wanted)).to.throw("autolock is not turned on");
  });
});
