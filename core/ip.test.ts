import { assert } from "chai";
import {
  formatIp,
  formatSubnet,
  holds,
  ipBytes,
  parseIp,
  parseSubnet,
  subnetsOverlap,
} from "./ip.ts";

describe("addresses of IPv4 and IPv6", () => {
  const TEXTS: readonly [string, string | undefined][] = [
    ["10.0.1.255", "10.0.1.255"],
    ["0.0.0.0", "0.0.0.0"],
    ["256.0.0.1", undefined],
    ["10.0.0", undefined],
    ["10.0.0.0.1", undefined],
    ["", undefined],
    ["::", "::"],
    ["::1", "::1"],
    ["fd00::", "fd00::"],
    ["FD00:0:0:1:0:0:0:2", "fd00:0:0:1::2"],
    ["fd00:0:1:0:0:1:0:1", "fd00:0:1::1:0:1"],
    ["1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
    ["1:2:3:4:5:6:7", undefined],
    ["1:2:3:4:5:6:7:8:9", undefined],
    ["1:2:3:4::5:6:7:8", undefined],
    ["::1::", undefined],
    [":::", undefined],
    ["fd00::g", undefined],
    ["fd00::12345", undefined],
    ["fe80::1%eth0", undefined],
    ["10.0.0.1::", undefined],
    ["1".repeat(100), undefined],
  ];
  for (const [text, expected] of TEXTS)
    it(`${text.slice(0, 40)} is ${expected ?? "none"}`, () => {
      const ip = parseIp(text);
      assert.equal(ip === undefined ? undefined : formatIp(ip), expected);
    });

  const SUBNETS: readonly [string, string | undefined][] = [
    ["10.0.1.77/24", "10.0.1.0/24"],
    ["10.0.1.77/0", "0.0.0.0/0"],
    ["10.0.1.77/33", undefined],
    ["fd00:1::5/64", "fd00:1::/64"],
    ["fd00::/129", undefined],
    ["10.0.0.0", undefined],
    ["10.0.0.0/8/8", undefined],
    ["10.0.0.0/-1", undefined],
  ];
  for (const [text, expected] of SUBNETS)
    it(`${text} is in ${expected ?? "no subnet"}`, () => {
      const subnet = parseSubnet(text);
      assert.equal(subnet === undefined ? undefined : formatSubnet(subnet), expected);
    });

  it("are bytes in packets", () => {
    const bytes = (text: string) => [...ipBytes(parseIp(text) ?? { family: 4, number: 0n })];
    assert.deepEqual(bytes("10.0.1.255"), [10, 0, 1, 255]);
    assert.deepEqual(bytes("fd00::1:2"), [0xfd, ...Array(11).fill(0), 0, 1, 0, 2]);
  });

  it("families do not mix", () => {
    const [four, six] = [parseSubnet("0.0.0.0/0"), parseSubnet("::/0")];
    const ip = parseIp("10.0.0.1");
    if (four === undefined || six === undefined || ip === undefined) throw new Error("no address");
    assert.isTrue(holds(four, ip));
    assert.isFalse(holds(six, ip));
    assert.isFalse(subnetsOverlap(four, six));
    assert.isTrue(subnetsOverlap(four, four));
  });
});
