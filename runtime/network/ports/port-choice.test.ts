import { assert } from "chai";
import { clashes, type HostPort } from "./host-port.ts";
import {
  candidatePorts,
  EPHEMERAL_PORTS,
  parsePortRange,
  parsePorts,
  wantedBindings,
} from "./port-choice.ts";
import type { PortBinding, PortSettings } from "./types.ts";

/** `80`, `80=8080`, `80/udp=8000-8010`, `80=127.0.0.1:81`; no host port: any. */
function binding(text: string): PortBinding {
  const [, port, protocol = "tcp", hostAddress = "", first = 0, last = first] =
    /^(\d+)(?:\/(\w+))?(?:=(?:([\d.]+):)?(\d+)(?:-(\d+))?)?$/.exec(text) ?? [];
  return {
    port: Number(port),
    protocol: protocol as PortBinding["protocol"],
    hostAddress,
    hostPortFirst: Number(first),
    hostPortLast: Number(last),
  };
}

function written(one: PortBinding): string {
  const { port, protocol, hostAddress, hostPortFirst, hostPortLast } = one;
  const range =
    hostPortFirst === hostPortLast ? `${hostPortFirst}` : `${hostPortFirst}-${hostPortLast}`;
  return `${port}/${protocol}=${hostAddress}:${range}`;
}

describe("published ports: what a container wants", () => {
  const image = parsePorts(["80/tcp", "53/udp"]);
  const settings = (change: Partial<PortSettings>) => ({
    exposed: [],
    bindings: [],
    publishAll: false,
    ...change,
  });
  const CASES: readonly [string, PortSettings, readonly string[]][] = [
    ["nothing is published that is only exposed", settings({ exposed: parsePorts(["1"]) }), []],
    [
      "one port alone comes first, then a few, then any",
      settings({ bindings: ["1", "2=9000-9009", "3=9000", "4=9001-9003", "5=9001"].map(binding) }),
      ["3/tcp=:9000", "5/tcp=:9001", "4/tcp=:9001-9003", "2/tcp=:9000-9009", "1/tcp=:0"],
    ],
    [
      "all that are exposed, by itself or its image, but for those that are bound",
      settings({
        bindings: [binding("80=127.0.0.1:8080")],
        exposed: parsePorts(["443", "53/udp", "53"]),
        publishAll: true,
      }),
      ["80/tcp=127.0.0.1:8080", "53/tcp=:0", "53/udp=:0", "443/tcp=:0"],
    ],
  ];
  for (const [name, wanted, expected] of CASES)
    it(name, () => assert.deepEqual(wantedBindings(wanted, image).map(written), expected));
});

describe("published ports: which are tried", () => {
  const range = { first: 40_000, last: 40_003 };
  const CASES: readonly [string, string, number, number[]][] = [
    ["the one that is asked for", "80=8080", 0, [8080]],
    [
      "a range from its beginning, whatever was given last",
      "80=8000-8002",
      8001,
      [8000, 8001, 8002],
    ],
    ["any from the first", "80", 0, [40_000, 40_001, 40_002, 40_003]],
    ["any after the last given", "80", 40_001, [40_002, 40_003, 40_000, 40_001]],
    ["any from the first after the end", "80", 40_003, [40_000, 40_001, 40_002, 40_003]],
  ];
  for (const [name, text, after, expected] of CASES)
    it(name, () => assert.deepEqual([...candidatePorts(binding(text), range, after)], expected));
});

describe("published ports: those that cannot be had at once", () => {
  const port = (text: string): HostPort => {
    const [protocol = "", hostAddress = "", number] = text.split(" ");
    return { protocol: protocol as HostPort["protocol"], hostAddress, hostPort: Number(number) };
  };
  const CASES: readonly [string, string, boolean][] = [
    ["tcp 0.0.0.0 80", "tcp 0.0.0.0 80", true],
    ["tcp 0.0.0.0 80", "tcp 127.0.0.1 80", true],
    ["tcp 127.0.0.1 80", "tcp 0.0.0.0 80", true],
    ["tcp 127.0.0.1 80", "tcp 127.0.0.1 80", true],
    ["tcp 127.0.0.1 80", "tcp 127.0.0.2 80", false],
    ["tcp 0.0.0.0 80", "udp 0.0.0.0 80", false],
    ["tcp 0.0.0.0 80", "tcp 0.0.0.0 81", false],
  ];
  for (const [a, b, expected] of CASES)
    it(`${a} and ${b}: ${expected}`, () => assert.equal(clashes(port(a), port(b)), expected));
});

describe("published ports: as others write them", () => {
  const PORTS: readonly [string, string[]][] = [
    ["80", ["80/tcp"]],
    ["53/udp", ["53/udp"]],
    ["9/sctp", ["9/sctp"]],
    ...["0", "65536", "", "80/xyz", "-1", "1e3", "80/tcp/udp"].map((text): [string, string[]] => [
      text,
      [],
    ]),
  ];
  for (const [text, expected] of PORTS)
    it(`"${text}" is ${expected}`, () =>
      assert.deepEqual(
        parsePorts([text]).map(({ port, protocol }) => `${port}/${protocol}`),
        expected,
      ));
  it("a range that is none is Linux's own", () => {
    assert.deepEqual(parsePortRange("1024\t65535\n"), { first: 1024, last: 65_535 });
    for (const text of ["", "x y", "5", "9 8", "0 5", "1 70000"])
      assert.deepEqual(parsePortRange(text), EPHEMERAL_PORTS);
  });
});
