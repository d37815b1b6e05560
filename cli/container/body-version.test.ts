import { expect } from "chai";
import { findMacAddress, findNeeds } from "./body-version.ts";

describe("container: what a body needs of a daemon", () => {
  const Image = "a";
  const mounts = (...Mounts: object[]) => ({ Image, HostConfig: { Mounts } });
  const networks = (EndpointsConfig: object) => ({ Image, NetworkingConfig: { EndpointsConfig } });
  const cases: [name: string, body: { Image: string }, versions: string[]][] = [
    ["nothing", { Image }, []],
    ["a bind", mounts({ Type: "bind", BindOptions: { NonRecursive: true } }), []],
    ["a recursion", mounts({ BindOptions: { ReadOnlyForceRecursive: true } }), ["1.44"]],
    ["part of a volume", mounts({ VolumeOptions: { Subpath: "a" } }), ["1.45"]],
    ["an image", mounts({ Type: "bind" }, { Type: "image" }), ["1.48"]],
    ["a network", networks({ a: { MacAddress: "m" } }), []],
    [
      "two networks, one for the way out",
      networks({ a: {}, b: { GwPriority: 0 } }),
      ["1.44", "1.48"],
    ],
  ];
  for (const [name, body, versions] of cases)
    it(name, () => expect(findNeeds(body).map(({ version }) => version)).to.deep.equal(versions));

  it("a hardware address", () => {
    expect(findMacAddress(networks({ a: { MacAddress: "m" } }))).to.equal("m");
    expect(findMacAddress({ Image })).to.equal(undefined);
  });
});
