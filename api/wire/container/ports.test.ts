import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { SILENT_IMAGE } from "../../../test/support/silent-image.ts";
import type { ContainerFacts } from "../../backends/containers.ts";
import { JsonReader } from "../../http/json-reader.ts";
import {
  checkPorts,
  isPortIn,
  readPorts,
  writeExposedPorts,
  writePortBindings,
  writePortList,
  writePortMap,
} from "./ports.ts";

const read = (exposed: unknown, bindings: unknown, publishAll = false) =>
  readPorts(
    new JsonReader({ ExposedPorts: exposed }, "Config"),
    new JsonReader({ PortBindings: bindings, PublishAllPorts: publishAll }, "HostConfig"),
  );
const tcp = (port: number) => ({ port, protocol: "tcp" }) as const;

describe("wire: ports of a new container", () => {
  it("are none when nothing is said", () => {
    expect(read(undefined, undefined)).to.deep.equal({
      exposed: [],
      bindings: [],
      publishAll: false,
    });
  });

  it("are exposed by name, by range, and by being bound", () => {
    const { exposed } = read({ "80/tcp": {}, "90-91/UDP": {}, "80": null }, { "70/sctp": null });
    expect(Object.keys(writeExposedPorts(exposed))).to.deep.equal([
      "70/sctp",
      "80/tcp",
      "90/udp",
      "91/udp",
    ]);
  });

  it("are bound to one port, some, or any, of one address or all, and each only once", () => {
    const sent = {
      "80/tcp": [
        { HostIp: "", HostPort: "8080" },
        { HostIp: "127.0.0.1", HostPort: "8000-8010" },
        { HostIp: "", HostPort: "8080" },
      ],
      "53/udp": [{ HostIp: "::1", HostPort: "" }],
    };
    const { bindings } = read({}, sent);
    const binding = (hostAddress: string, hostPortFirst: number, hostPortLast: number) =>
      ({ hostAddress, hostPortFirst, hostPortLast }) as const;
    expect(bindings).to.deep.equal([
      { ...tcp(80), ...binding("", 8080, 8080) },
      { ...tcp(80), ...binding("127.0.0.1", 8000, 8010) },
      { port: 53, protocol: "udp", ...binding("::1", 0, 0) },
    ]);
    expect(writePortBindings(bindings)).to.deep.equal({
      ...sent,
      "80/tcp": sent["80/tcp"].slice(0, 2),
    });
    expect(read({}, { "80/tcp": [{}] }).bindings).to.deep.equal([
      { ...tcp(80), ...binding("", 0, 0) },
    ]);
  });

  const REFUSALS: readonly [unknown, unknown, string][] = [
    [{ "0/tcp": {} }, {}, 'invalid port specification: "0/tcp"'],
    [{ "65536": {} }, {}, 'invalid port specification: "65536"'],
    [{ "80/icmp": {} }, {}, 'invalid port specification: "80/icmp"'],
    [{ "9-8": {} }, {}, 'invalid port specification: "9-8"'],
    [{ "80/tcp/tcp": {} }, {}, "invalid port specification"],
    [{ ["9".repeat(1000)]: {} }, {}, `invalid port specification: "${"9".repeat(100)}"`],
    [["80"], {}, "Config.ExposedPorts must be an object"],
    [{}, { x: [] }, 'invalid port specification: "x"'],
    [{}, { "80/tcp": "8080" }, "PortBindings.80/tcp must be a list"],
    [{}, { "80/tcp": [{ HostPort: 8080 }] }, "HostPort must be a string"],
    [{}, { "80/tcp": [{ HostPort: "70000" }] }, 'invalid port specification: "70000"'],
    [{}, { "80/tcp": [{ HostPort: "0-9" }] }, 'invalid port specification: "0-9"'],
    [{}, { "80/tcp": [{ HostIp: "host" }] }, 'invalid IP address: "host"'],
    [{}, { "80/tcp": [{ HostIp: "1.2.3" }] }, 'invalid IP address: "1.2.3"'],
    [JSON.parse('{"__proto__":{}}'), {}, 'invalid port specification: "__proto__"'],
  ];
  for (const [exposed, bindings, says] of REFUSALS)
    it(`are refused: ${JSON.stringify([exposed, bindings]).slice(0, 60)}`, () =>
      expect(() => read(exposed, bindings))
        .to.throw(ClusterError, says)
        .with.property("code", "InvalidArgument"));

  const MODES: readonly [string, object, object, boolean, string][] = [
    ["default", {}, { "80": [{}] }, true, ""],
    ["host", { "80": {} }, {}, false, ""],
    [
      "host",
      {},
      { "80": [{}] },
      false,
      "warning: Published ports are discarded when using host network mode",
    ],
    ["none", {}, {}, true, "warning: Published ports are discarded when using none network mode"],
    ["container:x", {}, {}, false, ""],
    [
      "container:x",
      {},
      { "80": [{}] },
      false,
      "conflicting options: port publishing and the container type network mode",
    ],
    [
      "container:x",
      {},
      {},
      true,
      "conflicting options: port publishing and the container type network mode",
    ],
    [
      "container:x",
      { "80": {} },
      {},
      false,
      "conflicting options: port exposing and the container type network mode",
    ],
  ];
  for (const [mode, exposed, bindings, all, said] of MODES)
    it(`in mode ${mode} ${JSON.stringify([exposed, bindings, all])}: ${said || "fine"}`, () => {
      const check = () => checkPorts(read(exposed, bindings, all), mode);
      if (said.startsWith("conflicting")) expect(check).to.throw(ClusterError, said);
      else
        expect(
          check()
            .map((text) => `warning: ${text}`)
            .join(),
        ).to.equal(said);
    });
});

describe("wire: ports of a container", () => {
  const container = (isRunning: boolean) =>
    ({
      settings: { ports: read({ "443": {} }, { "80": [{}] }) },
      image: { ...SILENT_IMAGE, exposedPorts: ["9000/udp", "nonsense"] },
      state: isRunning ? "running" : "exited",
      namespacePath: isRunning ? "/run/netns/one" : "",
      publishedPorts: isRunning
        ? [
            { ...tcp(80), hostAddress: "0.0.0.0", hostPort: 32_768 },
            { ...tcp(80), hostAddress: "127.0.0.1", hostPort: 8080 },
          ]
        : [],
    }) as unknown as ContainerFacts;

  it("are told with where they lead from, exposed ones without", () => {
    expect(writePortMap(container(true))).to.deep.equal({
      "80/tcp": [
        { HostIp: "0.0.0.0", HostPort: "32768" },
        { HostIp: "127.0.0.1", HostPort: "8080" },
      ],
      "443/tcp": null,
      "9000/udp": null,
    });
    expect(writePortList(container(true))).to.deep.equal([
      { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 32_768, Type: "tcp" },
      { IP: "127.0.0.1", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
      { PrivatePort: 443, Type: "tcp" },
      { PrivatePort: 9000, Type: "udp" },
    ]);
  });

  it("are not told when it does not run", () => {
    expect(writePortMap(container(false))).to.deep.equal({});
    expect(writePortList(container(false))).to.deep.equal([]);
  });

  it("are found by number, protocol and range", () => {
    const found = (value: string) => isPortIn(value, tcp(8080));
    expect(
      ["8080", "8080/tcp", "8000-8080/tcp", "8080/udp", "808", "8081-9000"].map(found),
    ).to.deep.equal([true, true, true, false, false, false]);
  });
});
