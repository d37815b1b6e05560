import { assert } from "chai";
import { formatPorts } from "./port.ts";

const PORTS = {
  "443/tcp": null,
  "9000/udp": [{ HostIp: "0.0.0.0", HostPort: "9000" }],
  "80/tcp": [
    { HostIp: "0.0.0.0", HostPort: "32768" },
    { HostIp: "::", HostPort: "32768" },
    { HostIp: "127.0.0.1", HostPort: "8080" },
  ],
};

describe("cli: port", () => {
  const CASES: readonly [string | undefined, string[]][] = [
    [
      undefined,
      [
        "80/tcp -> 0.0.0.0:32768",
        "80/tcp -> [::]:32768",
        "80/tcp -> 127.0.0.1:8080",
        "9000/udp -> 0.0.0.0:9000",
      ],
    ],
    ["80", ["0.0.0.0:32768", "[::]:32768", "127.0.0.1:8080"]],
    ["9000/UDP", ["0.0.0.0:9000"]],
    ["9000", []],
    ["443", []],
  ];
  for (const [wanted, expected] of CASES)
    it(`${wanted ?? "of all"}: ${expected.length}`, () =>
      assert.deepEqual(formatPorts(PORTS, wanted), expected));
});
