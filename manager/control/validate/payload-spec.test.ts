import { expect } from "chai";
import { CONFIG_BYTES_MAX, SECRET_BYTES_LIMIT } from "../../../proto/limits.ts";
import { checkConfig, checkReferences, checkSecret } from "./payload-spec.ts";

const some = Buffer.from("x");
const spec = (name: string) => ({ name, labels: {} });

describe("control: configs and secrets", () => {
  const NAME_TEXT =
    "invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]";
  const names = [
    { name: "", expected: "name must be provided" },
    { name: "-a", expected: NAME_TEXT },
    { name: "a.", expected: NAME_TEXT },
    { name: "a b", expected: NAME_TEXT },
    { name: "a".repeat(65), expected: NAME_TEXT },
  ];
  for (const { name, expected } of names) {
    it(`refuses the name ${JSON.stringify(name.slice(0, 8))}`, () => {
      expect(() => checkConfig(spec(name), some)).to.throw(expected);
      expect(() => checkSecret(spec(name), some)).to.throw(expected);
    });
  }

  it("takes names as Docker does", () => {
    for (const name of ["a", "A.b_c-d", "a".repeat(64), "1"]) checkSecret(spec(name), some);
  });

  it("takes as many bytes as Docker, and one no more", () => {
    checkConfig(spec("a"), Buffer.alloc(CONFIG_BYTES_MAX));
    checkSecret(spec("a"), Buffer.alloc(SECRET_BYTES_LIMIT - 1));
    expect(() => checkConfig(spec("a"), Buffer.alloc(CONFIG_BYTES_MAX + 1))).to.throw(
      "config data must be larger than 0 and less than 1024000 bytes",
    );
    expect(() => checkSecret(spec("a"), Buffer.alloc(SECRET_BYTES_LIMIT))).to.throw(
      "secret data must be larger than 0 and less than 512000 bytes",
    );
    expect(() => checkConfig(spec("a"), Buffer.alloc(0))).to.throw("larger than 0");
    expect(() => checkSecret(spec("a"), Buffer.alloc(0))).to.throw("larger than 0");
  });

  const file = { name: "f", uid: "0", gid: "0", mode: 0o444 };
  const reference = (part: object) => ({ secretId: "i", secretName: "n", file, ...part });
  const wrong = [
    {
      name: "a secret without a name",
      secrets: [reference({ secretId: "", secretName: "" })],
      expected: "malformed secret reference",
    },
    {
      name: "no file",
      secrets: [reference({ file: undefined })],
      expected: "malformed secret reference, no target provided",
    },
    {
      name: "a file without a name",
      secrets: [reference({ file: { ...file, name: "" } })],
      expected: "malformed file secret reference, invalid target file name provided",
    },
    {
      name: "one file twice",
      secrets: [reference({}), reference({ secretName: "m" })],
      expected: "secret references 'n' and 'm' have a conflicting target: 'f'",
    },
    {
      name: "a way out of the container",
      secrets: [reference({ file: { ...file, name: "../../etc/passwd" } })],
      expected: "must not contain '..'",
    },
    {
      name: "a user that is no number",
      secrets: [reference({ file: { ...file, uid: "root" } })],
      expected: 'invalid uid "root"',
    },
    {
      name: "a mode with more than permission bits",
      secrets: [reference({ file: { ...file, mode: 0o100444 } })],
      expected: "the mode of secret target f",
    },
  ];
  for (const { name, secrets, expected } of wrong) {
    it(`refuses ${name}`, () => expect(() => checkReferences(secrets, [])).to.throw(expected));
  }
});
