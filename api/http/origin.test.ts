import { expect } from "chai";
import { isForeignOrigin } from "./origin.ts";

describe("http: origin", () => {
  const cases: [string, string | undefined, string, string | undefined, boolean][] = [
    ["a program that names none", undefined, "h:2375", "127.0.0.1", false],
    ["a page of the API's own address", "http://h:2375", "h:2375", "127.0.0.1", false],
    ["the same in other letters", "HTTPS://H:2376", "h:2376", "127.0.0.1", false],
    ["a page of another site", "https://evil.example", "h:2375", "127.0.0.1", true],
    ["another port of this machine", "http://h:80", "h:2375", "127.0.0.1", true],
    ["a page without a site", "null", "h:2375", "127.0.0.1", true],
    ["anybody on a Unix socket", "http://localhost", "docker", undefined, false],
  ];
  for (const [name, origin, host, remoteAddress, expected] of cases)
    it(`${name} is ${expected ? "foreign" : "not foreign"}`, () => {
      const headers = { host, ...(origin === undefined ? {} : { origin }) };
      expect(isForeignOrigin(headers, remoteAddress)).to.equal(expected);
    });
});
