import { assert } from "chai";
import { type Attachment, type Endpoint, plainEndpoint } from "../types.ts";
import { dnsNames } from "./dns-names.ts";
import { planLinkLines } from "./links.ts";

const peer = (name: string, networkName: string, hostname = ""): Attachment => ({
  ...{ containerId: name.padEnd(64, "0"), name, hostname, resolvers: [] },
  endpoints: [{ networkName, address: "10.0.0.9" } as Endpoint],
});

describe("local networks: links of the default network", () => {
  const link = (text: string) => [{ ...plainEndpoint("bridge"), links: [text] }];

  it("are lines with alias, hostname and name", () => {
    const others = [peer("db", "bridge", "host"), peer("c0ffee", "bridge")];
    assert.deepEqual(planLinkLines("web", link("db:data"), others), ["10.0.0.9\tdata host db"]);
    assert.deepEqual(planLinkLines("web", link("c0ff:c0ffee"), others), [
      "10.0.0.9\tc0ffee c0ffee000000",
    ]);
  });

  it("need a container that runs there", () => {
    for (const others of [[], [peer("db", "app")]])
      assert.throws(
        () => planLinkLines("web", link("db:data"), others),
        "Cannot link to a non running container: /db AS /web/data",
      );
  });

  it("of other networks are answered as names, not written", () => {
    const configs = [{ ...plainEndpoint("app"), links: ["db:data"] }];
    assert.deepEqual(planLinkLines("web", configs, []), []);
  });
});

describe("local networks: names of a container", () => {
  const containerId = "0123456789abcdef";
  it("are its name, aliases, short id and hostname, each once", () => {
    assert.deepEqual(dnsNames({ name: "web", hostname: "www", containerId }, "app", ["www", "w"]), [
      "web",
      "www",
      "w",
      "0123456789ab",
    ]);
  });
  it("are none in the networks every machine has", () => {
    assert.deepEqual(dnsNames({ name: "web", hostname: "", containerId }, "bridge", []), []);
  });
});
