import { expect } from "chai";
import { parseRegistryAuth } from "./registry-auth.ts";

describe("worker: registry login", () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

  it("reads what a client sent", () => {
    expect(parseRegistryAuth(encode({ username: "u", password: "pÄ?" }))).to.deep.equal({
      username: "u",
      password: "pÄ?",
      identityToken: "",
      registryToken: "",
    });
  });

  it("is none when empty", () => expect(parseRegistryAuth("")).to.equal(undefined));

  for (const value of [
    "***",
    Buffer.from("secret").toString("base64url"),
    encode(7),
    encode(null),
  ]) {
    it(`refuses ${value} without repeating it`, () => {
      expect(() => parseRegistryAuth(value))
        .to.throw("cannot use the registry login")
        .with.property("message")
        .that.does.not.include("secret");
    });
  }
});
