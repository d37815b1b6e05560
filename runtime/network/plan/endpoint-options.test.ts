import { assert } from "chai";
import { readEndpointOptions, sysctlsOf } from "./endpoint-options.ts";

const named = (name: string) => ({ "com.docker.network.endpoint.ifname": name });
const tuned = (sysctls: string) => ({ "com.docker.network.endpoint.sysctls": sysctls });

describe("local networks: options of an endpoint", () => {
  it("name the interface", () => {
    assert.equal(readEndpointOptions(named("wan0.5")).interfaceName, "wan0.5");
    assert.equal(readEndpointOptions({ other: "thing" }).interfaceName, "");
    for (const name of ["lo", "a/b", "a b", ".", "sixteen-letters-"])
      assert.throws(() => readEndpointOptions(named(name)), /invalid interface name/);
  });

  it("are kernel settings of the interface alone", () => {
    const options = readEndpointOptions(
      tuned("net.ipv4.conf.IFNAME.log_martians=1, net.ipv6.neigh.ifname.gc_stale_time=9"),
    );
    assert.deepEqual(sysctlsOf(options, "a.b"), {
      "net/ipv4/conf/a.b/log_martians": "1",
      "net/ipv6/neigh/a.b/gc_stale_time": "9",
    });
    for (const text of [
      "net.ipv4.conf.eth0.log_martians=1",
      "net.ipv4.ip_forward=1",
      "net.ipv4.conf.IFNAME.../x=1",
      "net.ipv4.conf.IFNAME.log_martians",
      "kernel.IFNAME.x=1",
    ])
      assert.throws(() => readEndpointOptions(tuned(text)), /invalid sysctl/, text);
  });
});
