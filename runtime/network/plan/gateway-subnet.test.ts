import { assert } from "chai";
import { ClusterError } from "../../../core/errors.ts";
import { ipv4Address, ipv4Number, overlaps, parseCidr } from "./cidr.ts";
import { chooseGatewaySubnet, freeAddress, gatewayOf } from "./gateway-subnet.ts";

describe("data plane: subnet of the local bridge", () => {
  it("is the first that nothing uses", () => {
    const taken = ["10.0.0.0/8", "172.20.3.4/24", "172.21.0.0/16"].map(parseCidr);
    const subnet = chooseGatewaySubnet(taken);
    assert.equal(subnet.address, "172.22.0.0");
    assert.equal(gatewayOf(subnet), "172.22.0.1");
  });

  it("cannot be found when all private space is routed", () => {
    const taken = ["172.16.0.0/12", "192.168.0.0/16"].map(parseCidr);
    assert.throws(() => chooseGatewaySubnet(taken), ClusterError, /subnet for the local bridge/);
  });

  it("gives the lowest free address, up to its limit", () => {
    const subnet = parseCidr("172.20.0.0/16");
    assert.equal(freeAddress(subnet, new Set(["172.20.0.2", "172.20.0.4"]), 10), "172.20.0.3");
    const taken = new Set(["172.20.0.2", "172.20.0.3"]);
    assert.throws(() => freeAddress(subnet, taken, 2), ClusterError, /has 2 already/);
  });
});

describe("data plane: IPv4 arithmetic", () => {
  it("numbers and text agree", () => {
    for (const address of ["0.0.0.0", "10.0.1.255", "255.255.255.255"])
      assert.equal(ipv4Address(ipv4Number(address)), address);
  });
  it("a subnet runs from its first to its last address", () => {
    const { first, last } = parseCidr("10.0.1.77/24");
    assert.deepEqual([first, last].map(ipv4Address), ["10.0.1.0", "10.0.1.255"]);
  });
  it("subnets overlap when one holds the other", () => {
    assert.isTrue(overlaps(parseCidr("10.0.0.0/8"), parseCidr("10.9.0.0/16")));
    assert.isFalse(overlaps(parseCidr("10.0.0.0/16"), parseCidr("10.1.0.0/16")));
  });
  for (const wrong of ["10.0.0.1", "10.0.0.1/33", "10.0.0/8", "fd00::1/64", "10.0.0.1/x"])
    it(`refuses ${wrong}`, () => {
      assert.throws(() => parseCidr(wrong), ClusterError);
    });
});
