import { expect } from "chai";
import { formatJoinToken, parseJoinToken } from "./join-token.ts";

const TOKEN = formatJoinToken(new Uint8Array(32).fill(0xff), new Uint8Array(16).fill(1));

describe("ca: join token", () => {
  it("has Docker's form", () => {
    expect(TOKEN).to.match(/^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/);
    const small = formatJoinToken(new Uint8Array(32), new Uint8Array(16));
    expect(small).to.equal(`SWMTKN-1-${"0".repeat(50)}-${"0".repeat(25)}`);
  });

  it("comes back from its text, spaces around it apart", () => {
    const { caDigest, secret } = parseJoinToken(` ${TOKEN}\n`);
    expect(`SWMTKN-1-${caDigest}-${secret}`).to.equal(TOKEN);
  });

  const bad = [
    { name: "empty", text: "", says: "form" },
    { name: "some word", text: "secret", says: "form" },
    { name: "version 2", text: TOKEN.replace("-1-", "-2-"), says: "version 1 only" },
    { name: "truncated secret", text: TOKEN.slice(0, -1), says: "cut off" },
    { name: "no secret", text: TOKEN.slice(0, 59), says: "cut off" },
    { name: "one part more", text: `${TOKEN}-0`, says: "form" },
    { name: "capital letters", text: TOKEN.toUpperCase(), says: "cut off" },
  ];
  for (const { name, text, says } of bad) {
    it(`refuses ${name} without repeating it`, () => {
      expect(() => parseJoinToken(text))
        .to.throw(/^invalid join token/)
        .that.satisfies(({ message }: Error) => message.includes(says) && !message.includes(TOKEN));
    });
  }
});
