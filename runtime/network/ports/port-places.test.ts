import { assert } from "chai";
import { placeBinding } from "./port-places.ts";
import type { PortBinding } from "./types.ts";

const TCP: PortBinding = {
  ...{ port: 80, protocol: "tcp", hostAddress: "" },
  ...{ hostPortFirst: 8080, hostPortLast: 8080 },
};
const SIX = { address: "fd00::2", bridge: "br", link: "mv", subnet: "fd00::/64" };

describe("published ports: where they are had", () => {
  const CASES: readonly {
    readonly name: string;
    readonly binding?: Partial<PortBinding>;
    readonly usual?: string;
    readonly ipv6?: typeof SIX;
    readonly hasNoIpv6?: boolean;
    readonly expected: readonly string[];
  }[] = [
    { name: "everywhere", expected: ["0.0.0.0", "::"] },
    { name: "of a machine without IPv6", hasNoIpv6: true, expected: ["0.0.0.0"] },
    { name: "of SCTP, which nothing relays", binding: { protocol: "sctp" }, expected: ["0.0.0.0"] },
    {
      name: "of SCTP where the container has IPv6",
      binding: { protocol: "sctp" },
      ipv6: SIX,
      expected: ["0.0.0.0", "::"],
    },
    {
      name: "of one address",
      binding: { hostAddress: "127.0.0.1" },
      ipv6: SIX,
      expected: ["127.0.0.1"],
    },
    { name: "of IPv4 alone", binding: { hostAddress: "0.0.0.0" }, expected: ["0.0.0.0"] },
    { name: "of IPv6 alone", binding: { hostAddress: "0:0::0" }, expected: ["::"] },
    { name: "as the network says", usual: "10.0.0.1", expected: ["10.0.0.1"] },
    { name: "as a network says that means all", usual: "0.0.0.0", expected: ["0.0.0.0", "::"] },
    {
      name: "as the binding says, not the network",
      binding: { hostAddress: "::1" },
      usual: "10.0.0.1",
      expected: ["::1"],
    },
  ];
  for (const { name, binding = {}, usual = "", ipv6, hasNoIpv6 = false, expected } of CASES)
    it(name, () => {
      const way = { hostAddress: usual, ipv6 };
      const { hostAddresses } = placeBinding({ ...TCP, ...binding }, way, !hasNoIpv6);
      assert.deepEqual(hostAddresses, expected);
    });

  it("of IPv6 cannot be had for SCTP of a container without it", () => {
    const asked = { ...TCP, protocol: "sctp", hostAddress: "::1" } as const;
    assert.throws(
      () => placeBinding(asked, { hostAddress: "", ipv6: undefined }, true),
      "Cannot map from ::1 to an IPv4-only container",
    );
  });
});
