import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { asked, connectionError } from "./connection-error.ts";

describe("broken conversations with registries, in Docker's words", () => {
  const fail = (fields: object) => Object.assign(new Error("as node says it"), fields);
  const cases: [string, unknown, string][] = [
    [
      "nobody listens",
      fail({ code: "ECONNREFUSED", address: "127.0.0.1", port: 5000 }),
      "dial tcp 127.0.0.1:5000: connect: connection refused",
    ],
    [
      "nobody listens at any address",
      new AggregateError([fail({ code: "ECONNREFUSED", address: "::1", port: 5000 })]),
      "dial tcp [::1]:5000: connect: connection refused",
    ],
    ["no such name", fail({ code: "ENOTFOUND" }), "dial tcp: lookup r.test: no such host"],
    ["no answer", fail({ code: "UND_ERR_CONNECT_TIMEOUT" }), "dial tcp r.test:5000: i/o timeout"],
    [
      "no TLS there",
      fail({ code: "ERR_SSL_WRONG_VERSION_NUMBER" }),
      "http: server gave HTTP response to HTTPS client",
    ],
    ["something else", fail({ code: "EWHAT" }), "as node says it"],
  ];
  const what = asked("HEAD", new URL("https://r.test:5000/v2/"));
  for (const [name, cause, expected] of cases) {
    it(name, () => {
      const error = connectionError(cause, { what, host: "r.test:5000" });
      expect(error.code).to.equal("Unavailable");
      expect(error.message).to.equal(`Head "https://r.test:5000/v2/": ${expected}`);
    });
  }
  it("errors of ours stay, and an end by ours is not the registry's", () => {
    const own = new ClusterError("DataLoss", "x");
    expect(connectionError(own, { what, host: "r" })).to.equal(own);
    const signal = AbortSignal.abort();
    expect(connectionError(fail({}), { what, host: "r", signal }).code).to.equal("Cancelled");
  });
});
