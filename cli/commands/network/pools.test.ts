import { expect } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { type PoolFlags, planPools, type WirePool } from "./pools.ts";

describe("cli: addresses of a network", () => {
  const CASES: readonly [string, PoolFlags, readonly WirePool[]][] = [
    ["nothing", {}, []],
    ["a subnet", { subnet: ["10.1.0.0/16"] }, [{ Subnet: "10.1.0.0/16" }]],
    [
      "all of one",
      {
        subnet: ["10.1.0.0/16"],
        gateway: ["10.1.0.9"],
        ipRange: ["10.1.5.0/24"],
        auxAddress: ["a=10.1.5.1", "b=10.1.5.2"],
      },
      [
        {
          Subnet: "10.1.0.0/16",
          Gateway: "10.1.0.9",
          IPRange: "10.1.5.0/24",
          AuxiliaryAddresses: { a: "10.1.5.1", b: "10.1.5.2" },
        },
      ],
    ],
    [
      "two families, in any order",
      { subnet: ["fd00::/64", "10.1.0.0/16"], gateway: ["10.1.0.9", "fd00::9"] },
      [
        { Subnet: "fd00::/64", Gateway: "fd00::9" },
        { Subnet: "10.1.0.0/16", Gateway: "10.1.0.9" },
      ],
    ],
    [
      "several of one family, in order",
      { subnet: ["10.1.0.0/16", "10.2.0.0/16"], gateway: ["10.1.0.1", "10.2.0.1"] },
      [
        { Subnet: "10.1.0.0/16", Gateway: "10.1.0.1" },
        { Subnet: "10.2.0.0/16", Gateway: "10.2.0.1" },
      ],
    ],
  ];
  for (const [name, flags, expected] of CASES)
    it(name, () => {
      expect(planPools(flags)).to.deep.equal(expected);
    });

  for (const flags of [
    { gateway: ["10.1.0.1"] },
    { subnet: ["10.1.0.0/16"], ipRange: ["fd00::/120"] },
    { subnet: ["fd00::/64"], auxAddress: ["a=10.1.0.1"] },
  ])
    it(`refuses ${JSON.stringify(flags)}`, () => {
      expect(() => planPools(flags)).to.throw(ClusterError, /needs a --subnet/);
    });
});
