import { expect } from "chai";
import { planLinkEnvironment } from "./link-environment.ts";

const FACTS = { own: "web", alias: "data-base", address: "10.0.0.2", ports: [], env: [] };

describe("the environment of a linked container", () => {
  it("says where the other's ports are, the first alone too, and what its own environment is", () => {
    const ports = [
      { port: 53, protocol: "udp" as const },
      { port: 53, protocol: "tcp" as const },
    ];
    const env = ["PATH=/bin", "HOME=/", "FOO=a=b", "gone"];
    expect(planLinkEnvironment({ ...FACTS, ports, env })).to.deep.equal([
      "DATA_BASE_PORT=tcp://10.0.0.2:53",
      "DATA_BASE_PORT_53_TCP=tcp://10.0.0.2:53",
      "DATA_BASE_PORT_53_TCP_ADDR=10.0.0.2",
      "DATA_BASE_PORT_53_TCP_PORT=53",
      "DATA_BASE_PORT_53_TCP_PROTO=tcp",
      "DATA_BASE_PORT_53_UDP=udp://10.0.0.2:53",
      "DATA_BASE_PORT_53_UDP_ADDR=10.0.0.2",
      "DATA_BASE_PORT_53_UDP_PORT=53",
      "DATA_BASE_PORT_53_UDP_PROTO=udp",
      "DATA_BASE_NAME=/web/data-base",
      "DATA_BASE_ENV_FOO=a=b",
    ]);
  });

  it("has only the name of one without ports", () =>
    expect(planLinkEnvironment(FACTS)).to.deep.equal(["DATA_BASE_NAME=/web/data-base"]));

  it("tells of three ports in a row as a range", () => {
    const ports = [80, 81, 82, 90].map((port) => ({ port, protocol: "tcp" as const }));
    const planned = planLinkEnvironment({ ...FACTS, alias: "db", ports });
    expect(planned.slice(1, 7)).to.deep.equal([
      "DB_PORT_80_TCP_START=tcp://10.0.0.2:80",
      "DB_PORT_80_TCP_ADDR=10.0.0.2",
      "DB_PORT_80_TCP_PROTO=tcp",
      "DB_PORT_80_TCP_PORT_START=80",
      "DB_PORT_82_TCP_END=tcp://10.0.0.2:82",
      "DB_PORT_80_TCP_PORT_END=82",
    ]);
  });
});
