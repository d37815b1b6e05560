import { expect } from "chai";
import { planResolvConf, reachableResolvers } from "./resolv-conf.ts";

const HOST = "# mine\nnameserver 192.0.2.1\nsearch lan\noptions ndots:5\n";
const none = { servers: [], search: [], options: [] };

describe("container: resolv.conf", () => {
  const cases = [
    { name: "nothing", dns: none, expected: HOST },
    {
      name: "servers",
      dns: { ...none, servers: ["192.0.2.9"] },
      expected: "# mine\nsearch lan\noptions ndots:5\nnameserver 192.0.2.9\n",
    },
    {
      name: "all",
      dns: { servers: ["192.0.2.9"], search: ["a", "b"], options: ["rotate"] },
      expected: "# mine\nnameserver 192.0.2.9\nsearch a b\noptions rotate\n",
    },
    {
      name: "no search at all",
      dns: { ...none, search: ["."] },
      expected: "# mine\nnameserver 192.0.2.1\noptions ndots:5\n",
    },
  ];
  for (const { name, dns, expected } of cases)
    it(`says what the container does: ${name}`, () =>
      expect(planResolvConf(HOST, dns)).to.equal(expected));
});

describe("resolv.conf in a network namespace of its own", () => {
  const CASES: readonly [string, string, string][] = [
    [
      "servers elsewhere stay",
      "search a.b\nnameserver 10.0.0.1\n",
      "search a.b\nnameserver 10.0.0.1\n",
    ],
    [
      "those on the loopback go",
      "nameserver 127.0.0.1\nnameserver 9.9.9.9\n",
      "nameserver 9.9.9.9\n",
    ],
    [
      "the public ones when none is left",
      "nameserver ::1\noptions rotate\n",
      "options rotate\nnameserver 8.8.8.8\nnameserver 8.8.4.4\n",
    ],
    ["or none was there", "", "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"],
  ];
  for (const [name, host, expected] of CASES)
    it(name, () => {
      expect(reachableResolvers(host)).to.equal(expected);
    });
});
