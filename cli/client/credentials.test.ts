import { expect } from "chai";
import { findStored, HUB } from "./credentials.ts";

describe("client: logins", () => {
  const auths = {
    "https://old.example.com/v1/": { auth: "old" },
    "host:5000": { auth: "host" },
    "http://host:5000/v2/": { auth: "other" },
    [HUB]: { auth: "hub" },
  };
  const cases: [server: string, auth: string | undefined][] = [
    ["host:5000", "host"],
    ["old.example.com", "old"],
    [HUB, "hub"],
    ["index.docker.io", "hub"],
    ["example.com", undefined],
    ["host", undefined],
    ["__proto__", undefined],
  ];
  for (const [server, auth] of cases)
    it(`of ${server}`, () => expect(findStored(auths, server)?.auth).to.equal(auth));
});
