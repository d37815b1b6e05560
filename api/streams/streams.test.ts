import { expect } from "chai";
import { frame } from "./frame.ts";
import { streamType } from "./stream-type.ts";

describe("streams: frames", () => {
  it("say whose the bytes are, and how many", () => {
    expect([...frame(2, Buffer.from("ab"))]).to.deep.equal([2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
  });
  it("have a content type of their own from 1.42 on", () => {
    const types = [
      streamType(false, { apiMinor: 41 }),
      streamType(false, { apiMinor: 42 }),
      streamType(true, { apiMinor: 51 }),
    ];
    expect(types.map((type) => type.slice("application/vnd.docker.".length))).to.deep.equal([
      "raw-stream",
      "multiplexed-stream",
      "raw-stream",
    ]);
  });
});
