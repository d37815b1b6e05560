import { expect } from "chai";
import { atMost } from "./at-most.ts";

describe("at most so many bytes", () => {
  const source = async function* () {
    yield new Uint8Array(3);
    yield new Uint8Array(2);
  };
  const take = async (bytesMax: number) => {
    let bytes = 0;
    for await (const chunk of atMost(source(), bytesMax, "it")) bytes += chunk.length;
    return bytes;
  };
  it("pass", async () => expect(await take(5)).to.equal(5));
  it("and no more", async () => {
    const failure = await take(4).catch((error: unknown) => error);
    expect(failure).to.include({
      code: "ResourceExhausted",
      message: "it is larger than 4 bytes",
    });
  });
});
