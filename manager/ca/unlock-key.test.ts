import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { formatUnlockKey, parseUnlockKey, UNLOCK_KEY_BYTES } from "./unlock-key.ts";

const KEY = Uint8Array.from({ length: UNLOCK_KEY_BYTES }, (_, i) => 7 * i);

describe("unlock key", () => {
  it("is written as Docker writes it, and read back", () => {
    const text = formatUnlockKey(KEY);
    expect(text).to.match(/^SWMKEY-1-[A-Za-z0-9+/]{43}$/);
    expect(parseUnlockKey(text)).to.deep.equal(KEY);
  });

  for (const { name, text } of [
    { name: "nothing", text: "" },
    { name: "another kind of token", text: "SWMTKN-1-abc" },
    { name: "one that was cut", text: formatUnlockKey(KEY).slice(0, -1) },
    { name: "one that is too long", text: `${formatUnlockKey(KEY)}A` },
    { name: "foreign characters", text: formatUnlockKey(KEY).replace(/.$/, "!") },
    { name: "a newline at its end", text: `${formatUnlockKey(KEY)}\n` },
  ]) {
    it(`refuses ${name} and does not repeat it`, () => {
      expect(() => parseUnlockKey(text))
        .to.throw(ClusterError, "invalid key string")
        .with.property("code", "InvalidArgument");
    });
  }
});
