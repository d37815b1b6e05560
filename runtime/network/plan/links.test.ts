import { assert } from "chai";
import { type Attachment, type Endpoint, plainEndpoint } from "../types.ts";
import { dnsNames } from "./dns-names.ts";
import { afterRename, planLinks, planLinkUpdates } from "./links.ts";

const peer = (name: string, networkName: string, hostname = ""): Attachment => ({
  ...{ containerId: name.padEnd(64, "0"), name, hostname, resolvers: [] },
  endpoints: [{ networkName, address: "10.0.0.9" } as Endpoint],
});

describe("local networks: links of the default network", () => {
  const link = (text: string) => [{ ...plainEndpoint("bridge"), links: [text] }];
  const linesOf = (text: string, others: Attachment[]) =>
    planLinks("web", link(text), others).map(({ line }) => line);

  it("are lines with alias, hostname and name", () => {
    const others = [peer("db", "bridge", "host"), peer("c0ffee", "bridge")];
    assert.deepEqual(linesOf("db:data", others), ["10.0.0.9\tdata host db"]);
    assert.deepEqual(linesOf("c0ff:c0ffee", others), ["10.0.0.9\tc0ffee c0ffee000000"]);
  });

  it("need a container that runs there", () => {
    for (const others of [[], [peer("db", "app")]])
      assert.throws(
        () => planLinks("web", link("db:data"), others),
        "Cannot link to a non running container: /db AS /web/data",
      );
  });

  it("follow a container that starts again", () => {
    const linked = (name: string, network: string, links: string[]): Attachment => {
      const { endpoints, ...rest } = peer(name, network);
      return { ...rest, endpoints: endpoints.map((one) => ({ ...one, links })) };
    };
    const db = linked("db", "bridge", []);
    const all = [db, linked("web", "bridge", ["db:data", "x:y"]), linked("far", "app", ["db:d"])];
    assert.deepEqual(planLinkUpdates(db.containerId, all), [
      { containerId: "web".padEnd(64, "0"), alias: "data", address: "10.0.0.9" },
    ]);
    assert.deepEqual(planLinkUpdates("nobody", all), []);
  });

  it("lead to a container that has another name, where they lead to a container", () => {
    const linked = (network: string): Attachment => {
      const { endpoints, ...rest } = peer("web", network);
      return { ...rest, endpoints: endpoints.map((one) => ({ ...one, links: ["db:d", "dbx:x"] })) };
    };
    const linksAfter = (network: string, oldName: string) =>
      afterRename(linked(network), oldName, "new").endpoints.flatMap(({ links }) => links);
    assert.deepEqual(linksAfter("bridge", "db"), ["new:d", "dbx:x"]);
    assert.deepEqual(linksAfter("app", "db"), ["db:d", "dbx:x"]);
    const web = linked("bridge");
    assert.equal(afterRename(web, "other", "new"), web);
  });

  it("of other networks are answered as names, not written", () => {
    const configs = [{ ...plainEndpoint("app"), links: ["db:data"] }];
    assert.deepEqual(planLinks("web", configs, []), []);
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
