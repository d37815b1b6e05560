import { expect } from "chai";
import { peerHost, peerNetwork } from "./peer.ts";

describe("rpc: peers", () => {
  it("finds the address in gRPC's name of a peer", () => {
    expect(peerHost("10.0.0.1:4711")).to.equal("10.0.0.1");
    expect(peerHost("[fd00::1]:4711")).to.equal("fd00::1");
    expect(peerHost("fd00::1:4711")).to.equal("fd00::1");
  });

  it("takes for one host what one host can make addresses of", () => {
    const networks: readonly (readonly [string, string])[] = [
      ["10.0.0.1", "10.0.0.1"],
      ["::ffff:10.0.0.1", "10.0.0.1"],
      ["2001:db8:1:2:aaaa:bbbb:cccc:dddd", "2001:db8:1:2::/64"],
      ["2001:0db8:0001:0002::5", "2001:db8:1:2::/64"],
      ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
      ["fe80::1%eth0", "fe80:0:0:0::/64"],
      ["::1", "0:0:0:0::/64"],
      ["unknown", "unknown"],
    ];
    for (const [host, network] of networks) expect(peerNetwork(host), host).to.equal(network);
  });
});
