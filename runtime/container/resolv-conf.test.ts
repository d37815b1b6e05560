import { expect } from "chai";
import { planResolvConf } from "./resolv-conf.ts";

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
