import { expect } from "chai";
import { checkGenesisNetworks, type GenesisNetworks } from "./genesis-networks.ts";

const GOOD: GenesisNetworks = {
  defaultAddressPools: ["10.0.0.0/8"],
  subnetSize: 24,
  dataPathPort: 4789,
};

describe("control: networks of a new swarm", () => {
  const cases: readonly { given: Partial<GenesisNetworks>; refusal: string | undefined }[] = [
    { given: {}, refusal: undefined },
    { given: { defaultAddressPools: ["10.0.0.0/24"] }, refusal: undefined },
    { given: { dataPathPort: 80 }, refusal: "data path port 80 must be from 1024 to 49151" },
    { given: { dataPathPort: 70_000 }, refusal: "data path port 70000" },
    { given: { subnetSize: 33 }, refusal: "subnet size 33 is too large" },
    {
      given: { defaultAddressPools: ["1.2.3.0/33"] },
      refusal: "invalid address pool '1.2.3.0/33'",
    },
    { given: { defaultAddressPools: ["ten"] }, refusal: "invalid address pool 'ten'" },
    { given: { defaultAddressPools: ["10.0.0.0/25"] }, refusal: "smaller than one subnet" },
  ];
  for (const { given, refusal } of cases) {
    it(`${refusal === undefined ? "allows" : "refuses"} ${JSON.stringify(given)}`, () => {
      const check = () => checkGenesisNetworks({ ...GOOD, ...given });
      if (refusal === undefined) expect(check).not.to.throw();
      else expect(check).to.throw(refusal);
    });
  }
});
