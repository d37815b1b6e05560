import { expect } from "chai";
import { parseChallenge, tokenUrl } from "./challenge.ts";

describe("registry challenge", () => {
  const cases = [
    { header: 'Basic realm="basic-realm"', expected: { scheme: "basic" } },
    { header: "basic", expected: { scheme: "basic" } },
    {
      header:
        'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"',
      expected: {
        scheme: "bearer",
        realm: "https://auth.example/token",
        service: "registry",
        scope: "repository:a/b:pull,push",
      },
    },
    {
      header: 'Basic realm="x", Bearer realm="https://a/t", service=s',
      expected: { scheme: "bearer", realm: "https://a/t", service: "s", scope: "" },
    },
    {
      header: 'bearer realm="https://a/t", Basic realm="x"',
      expected: { scheme: "bearer", realm: "https://a/t", service: "", scope: "" },
    },
  ];
  for (const { header, expected } of cases) {
    it(`reads ${header}`, () => {
      const challenge = parseChallenge(header);
      const shown =
        "realm" in challenge ? { ...challenge, realm: challenge.realm.href } : challenge;
      expect(shown).to.deep.equal(expected);
    });
  }

  for (const header of [
    "",
    "Digest realm=x",
    "Bearer",
    'Bearer realm="file:///etc"',
    "Bearer realm=x",
  ]) {
    it(`refuses ${JSON.stringify(header)}`, () => {
      expect(() => parseChallenge(header))
        .to.throw()
        .with.property("code", "Unauthenticated");
    });
  }

  it("asks for a token by scope", () => {
    const challenge = parseChallenge('Bearer realm="https://a/t?x=1",service="r e"');
    if (challenge.scheme !== "bearer") throw new Error("not bearer");
    expect(tokenUrl(challenge, "repository:a:pull").href).to.equal(
      "https://a/t?x=1&service=r+e&scope=repository%3Aa%3Apull",
    );
  });
});
