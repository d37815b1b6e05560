import { expect } from "chai";
import { goTime, humanDiskSize, humanSize, nanoTime } from "./human.ts";

describe("output: sizes and times", () => {
  it("have three digits, or four", () =>
    expect([humanDiskSize(1_982_256), humanSize(1_982_256), humanSize(0)]).to.deep.equal([
      ...["1.98MB", "1.982MB", "0B"],
    ]));

  /** The same moment, wherever the test runs. */
  const back = (text: string) => Date.parse(text);
  const MOMENT_MS = 1_795_904_188_122;
  it("are written as Go does", () => {
    expect(goTime(MOMENT_MS)).to.match(/^2026-11-2\d \d\d:\d\d:28\.122 [+-]\d{4} \S+$/);
    expect(goTime(MOMENT_MS - 122)).to.match(/^2026-11-2\d \d\d:\d\d:28 [+-]\d{4} \S+$/);
    expect(back(goTime(MOMENT_MS).split(" ").slice(0, 3).join(" "))).to.equal(MOMENT_MS);
  });
  it("keep their nanoseconds", () => {
    const text = nanoTime(1_795_904_188_122_000_001n);
    expect(text).to.match(/^2026-11-2\dT\d\d:\d\d:28\.122000001(Z|[+-]\d\d:\d\d)$/);
    expect(back(text)).to.equal(MOMENT_MS);
  });
});
