import { expect } from "chai";
import { KeyRing, type KeySet, newKeySet } from "./key-ring.ts";

function ringOf(readsClear = false) {
  const saved: KeySet[] = [];
  const ring = new KeyRing(newKeySet(readsClear), (set) => void saved.push(set));
  return { ring, saved };
}

describe("key ring", () => {
  it("keeps the older key until it is retired, and saves before it tells", () => {
    const { ring, saved } = ringOf();
    const first = ring.current;
    const told: number[] = [];
    ring.onChange(() => told.push(saved.length));
    ring.rotate();
    expect(told).to.deep.equal([1]);
    expect(ring.current.id).to.not.equal(first.id);
    expect(ring.find(first.id)).to.equal(first);
    expect(ring.isRotating).to.equal(true);
    ring.retire();
    expect(ring.find(first.id)).to.equal(undefined);
    expect(ring.isRotating).to.equal(false);
    expect(saved.at(-1)).to.deep.equal(ring.set);
  });

  it("keeps every older key when it rotates again before the first is retired", () => {
    const { ring } = ringOf();
    const first = ring.current;
    ring.rotate();
    const second = ring.current;
    ring.rotate();
    expect([first, second, ring.current].map((key) => ring.find(key.id))).to.not.include(undefined);
  });

  it("stays as it is when the change cannot be saved", () => {
    const set = newKeySet(false);
    const ring = new KeyRing(set, () => {
      throw new Error("ENOSPC");
    });
    let told = false;
    ring.onChange(() => {
      told = true;
    });
    expect(() => ring.rotate()).to.throw("ENOSPC");
    expect(ring.set).to.equal(set);
    expect(told).to.equal(false);
  });

  it("reads files in clear until they are retired", () => {
    const { ring } = ringOf(true);
    expect(ring.readsClear && ring.isRotating).to.equal(true);
    ring.retire();
    expect(ring.readsClear || ring.isRotating).to.equal(false);
  });
});
