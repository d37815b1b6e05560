import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { JsonReader } from "../../http/json-reader.ts";
import { readNetworking } from "./networking.ts";

const ID = "a".repeat(64);

function read(config: object, host: object, apiMinor = 51) {
  const find = (ref: string) => {
    if (ref === "nosuch") throw new ClusterError("InvalidArgument", "No such container: nosuch");
    return { id: ID, name: ID.startsWith(ref) ? "web" : ref };
  };
  const context = {
    resolve: (ref: string) => find(ref).id,
    nameOf: (ref: string) => find(ref).name,
    nameOfNetwork: (ref: string) => ({ "0123": "app", app: "app" })[ref],
    apiMinor,
  };
  return readNetworking(new JsonReader(config, "Config"), new JsonReader(host, "Host"), context);
}

const asking = (networks: object) => ({ NetworkingConfig: { EndpointsConfig: networks } });
const PLAIN = { aliases: [], links: [], ipv4: "", ipv6: "", mac: "", gatewayPriority: 0 };

describe("wire: networks of a new container", () => {
  it("are the default one when nothing is said", () => {
    const expected = { networkMode: "bridge", endpoints: [{ ...PLAIN, network: "bridge" }] };
    expect(read({}, {})).to.deep.equal(expected);
    expect(read(asking({}), { NetworkMode: "default" })).to.deep.equal(expected);
  });

  it("are what Debian's command line sends", () => {
    const said = {
      app: {
        IPAMConfig: { IPv4Address: "10.0.0.9" },
        Links: ["db:database", "cache"],
        Aliases: ["web", "web"],
        NetworkID: "",
        DriverOpts: { a: "b" },
      },
    };
    const { networkMode, endpoints } = read(
      { ...asking(said), MacAddress: "02-42-0A-00-00-09" },
      { NetworkMode: "app" },
      41,
    );
    expect(networkMode).to.equal("app");
    expect(endpoints).to.deep.equal([
      {
        ...PLAIN,
        network: "app",
        aliases: ["web"],
        links: ["db:database", "cache:cache"],
        ipv4: "10.0.0.9",
        mac: "02:42:0a:00:00:09",
        driverOptions: { a: "b" },
      },
    ]);
  });

  it("have each link once, though clients name it twice", () => {
    const said = asking({ app: { Links: ["db:database"] } });
    const { endpoints } = read(said, { NetworkMode: "app", Links: ["db:database"] });
    expect(endpoints[0]?.links).to.deep.equal(["db:database"]);
  });

  it("are several, that of the mode first, each by its name", () => {
    const said = { other: { GwPriority: 1 }, "0123": { Aliases: ["a"] } };
    const { endpoints } = read(asking(said), { NetworkMode: "app" });
    expect(endpoints.map(({ network }) => network)).to.deep.equal(["app", "other"]);
    expect(endpoints[0]?.aliases).to.deep.equal(["a"]);
  });

  it("are those that are named when the mode is not", () => {
    const { endpoints } = read(asking({ app: {} }), {});
    expect(endpoints.map(({ network }) => network)).to.deep.equal(["app"]);
  });

  it("are none of one that shares others' or has none", () => {
    for (const mode of ["host", "none"])
      expect(read(asking({ [mode]: {} }), { NetworkMode: mode })).to.deep.equal({
        networkMode: mode,
        endpoints: [],
      });
    expect(read({}, { NetworkMode: "container:x" }).networkMode).to.equal(`container:${ID}`);
    expect(read({ NetworkDisabled: true }, {}).networkMode).to.equal("none");
  });

  it("has links of the default network", () => {
    const { endpoints } = read({}, { Links: ["/db:data"] });
    expect(endpoints[0]?.links).to.deep.equal(["db:data"]);
  });

  it("has them by the name of whom they lead to, others as they were asked for", () => {
    const linksOf = (NetworkMode: string) =>
      read({}, { NetworkMode, Links: ["aaaa:data"] }).endpoints[0]?.links;
    expect(linksOf("default")).to.deep.equal(["web:data"]);
    expect(linksOf("app")).to.deep.equal(["aaaa:data"]);
  });

  const BAD: readonly [string, object, object, RegExp, number?][] = [
    ["several for an old client", asking({ a: {}, b: {} }), {}, /network endpoints: a, b/, 43],
    ["another beside none", asking({ app: {} }), { NetworkMode: "none" }, /private \(none\) mode/],
    [
      "another beside the host's",
      asking({ app: {} }),
      { NetworkMode: "host" },
      /any other network/,
    ],
    ["one twice", asking({ app: {}, "0123": {} }), {}, /named twice/],
    ["no object", asking([]), {}, /must be an object/],
    ["no endpoint", asking({ app: [] }), {}, /must be an object/],
    [
      "options of a driver that are no text",
      asking({ app: { DriverOpts: { a: 1 } } }),
      {},
      /DriverOpts/,
    ],
    ["a bad alias", asking({ app: { Aliases: ["a b"] } }), {}, /invalid network alias/],
    ["a bad link", {}, { Links: ["a:b:c"] }, /bad format for links/],
    ["a link to nobody", {}, { Links: ["nosuch:x"] }, /No such container/],
    ["links beside the host's", {}, { NetworkMode: "host", Links: ["a"] }, /with links/],
    ["a bad MAC address", { MacAddress: "02:42" }, {}, /invalid MAC address/],
    ["a group's MAC address", { MacAddress: "01:00:00:00:00:01" }, {}, /invalid MAC address/],
    [
      "two MAC addresses",
      {
        MacAddress: "02:00:00:00:00:01",
        ...asking({ bridge: { MacAddress: "02:00:00:00:00:02" } }),
      },
      {},
      /must match/,
    ],
    [
      "a name of its own",
      { Hostname: "x" },
      { NetworkMode: "container:x" },
      /^conflicting options: hostname and/,
    ],
    [
      "name servers of its own",
      {},
      { NetworkMode: "container:x", Dns: ["1.1.1.1"] },
      /: dns and the network mode/,
    ],
    [
      "hosts of its own",
      {},
      { NetworkMode: "container:x", ExtraHosts: ["a:1.1.1.1"] },
      /host-to-IP mapping/,
    ],
    ["half a mode", {}, { NetworkMode: "container:" }, /must be in format/],
  ];
  for (const [name, config, host, words, minor] of BAD)
    it(`refuses ${name}`, () => {
      expect(() => read(config, host, minor)).to.throw(ClusterError, words);
    });
});
