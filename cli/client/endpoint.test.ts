import { expect } from "chai";
import { ClusterError } from "../../core/errors.ts";
import { parseEndpoint } from "./endpoint.ts";

describe("client: endpoints", () => {
  const cases: { text: string; isSecure?: boolean; expected: object }[] = [
    { text: "unix:///run/a.sock", expected: { kind: "unix", socketPath: "/run/a.sock" } },
    { text: "tcp://10.0.0.1", expected: { kind: "tcp", host: "10.0.0.1", port: 2375 } },
    { text: "tcp://host", isSecure: true, expected: { kind: "tcp", host: "host", port: 2376 } },
    { text: "tcp://host:80", expected: { kind: "tcp", host: "host", port: 80 } },
    { text: "tcp://[::1]:5/", expected: { kind: "tcp", host: "::1", port: 5 } },
    { text: "tcp://[::1]", expected: { kind: "tcp", host: "::1", port: 2375 } },
  ];
  for (const { text, isSecure = false, expected } of cases)
    it(text, () => expect(parseEndpoint(text, isSecure)).to.deep.equal(expected));
  const bad = ["", "host", "ssh://root@host", "tcp://", "tcp://a/b", "tcp://u@a", "tcp://a:99999"];
  for (const text of [...bad, "npipe:////./pipe/x", "unix://"])
    it(`refuses ${text}`, () =>
      expect(() => parseEndpoint(text)).to.throw(ClusterError, "invalid host"));
  it("says what to do instead of ssh", () =>
    expect(() => parseEndpoint("ssh://host")).to.throw("forward the socket"));
});
