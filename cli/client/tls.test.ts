import { expect } from "chai";
import type { Environment } from "./environment.ts";
import { planTls, type TlsFlags } from "./tls.ts";

/** `verify ca! cert key`: those with a mark must be there. */
function planText(flags: TlsFlags, env: Environment): string {
  const plan = planTls(flags, env, "/home");
  if (plan === undefined) return "none";
  const files = [plan.ca, plan.cert, plan.key];
  const names = files.map(({ path, asked }) => `${path}${asked ? "!" : ""}`);
  return `${plan.verifies ? "verify" : "trust"} ${names.join(" ")}`;
}

describe("client: TLS", () => {
  const usual = "/home/cert.pem /home/key.pem";
  const cases: { flags?: TlsFlags; env?: Environment; expected: string }[] = [
    { expected: "none" },
    { flags: { tls: false }, expected: "none" },
    { flags: { tls: true }, expected: `trust /home/ca.pem ${usual}` },
    { flags: { tlsverify: true }, expected: `verify /home/ca.pem! ${usual}` },
    // As docker has it: saying it at all asks for TLS.
    { flags: { tlsverify: false }, expected: `trust /home/ca.pem ${usual}` },
    {
      flags: { tlsverify: true, tlscacert: "/a", tlscert: "/b", tlskey: "/c" },
      expected: "verify /a! /b! /c!",
    },
    { env: { MUSTER_TLS_VERIFY: "1" }, expected: `verify /home/ca.pem! ${usual}` },
    { env: { MUSTER_TLS_VERIFY: "" }, expected: "none" },
    {
      env: { DOCKER_TLS_VERIFY: "1", MUSTER_CERT_PATH: "/m", DOCKER_CERT_PATH: "/d" },
      expected: "verify /m/ca.pem! /m/cert.pem /m/key.pem",
    },
    {
      env: { DOCKER_TLS: "1", DOCKER_CERT_PATH: "/d" },
      expected: "trust /d/ca.pem /d/cert.pem /d/key.pem",
    },
    {
      flags: { tlsverify: false },
      env: { MUSTER_TLS_VERIFY: "1" },
      expected: `trust /home/ca.pem ${usual}`,
    },
  ];
  for (const { flags = {}, env = {}, expected } of cases)
    it(`${JSON.stringify(flags)} ${JSON.stringify(env)}`, () =>
      expect(planText(flags, env)).to.equal(expected));
  it("refuses what is no truth value", () =>
    expect(() => planTls({}, { MUSTER_TLS: "maybe" }, "/")).to.throw("maybe"));
});
