import { assert } from "chai";
import { EndpointTable } from "../../../proto/gen/endpoints.ts";
import { EndpointSpec_Mode } from "../../../proto/gen/objects.ts";
import { NameView } from "../../../runtime/network/dns/name-view.ts";
import { ownZone, planZone } from "./zone.ts";

function table(tasks: number, mode: EndpointSpec_Mode = EndpointSpec_Mode.VIP): EndpointTable {
  return EndpointTable.fromPartial({
    networkId: "net",
    version: 1,
    network: { name: "app" },
    services: [
      {
        serviceId: "s",
        name: "Web",
        mode,
        virtualIps: mode === EndpointSpec_Mode.VIP ? ["10.0.1.2"] : [],
        aliases: ["www"],
      },
      { serviceId: "t", name: "other", mode, virtualIps: ["10.0.1.3"], aliases: ["www"] },
      { serviceId: "u", name: "idle", mode: EndpointSpec_Mode.DNSRR },
    ],
    endpoints: Array.from({ length: tasks }, (_, at) => ({
      taskId: `task${at}`,
      serviceId: "s",
      addresses: [`10.0.${1 + Math.floor(at / 200)}.${10 + (at % 200)}`],
      aliases: [`Web.${at}.task${at}`],
      serving: at !== 1,
    })),
  });
}

const VIEW = new NameView([ownZone("me", ["10.0.1.77"]), planZone(table(3))]);

describe("dns: names of a network of the swarm", () => {
  const cases = [
    { name: "web", expected: ["10.0.1.2"] },
    { name: "WEB.App", expected: ["10.0.1.2"] },
    { name: "tasks.web", expected: ["10.0.1.10", "10.0.1.12"] },
    { name: "web.0.task0", expected: ["10.0.1.10"] },
    { name: "me", expected: ["10.0.1.77"] },
    { name: "www", expected: ["10.0.1.2", "10.0.1.3"] },
    { name: "idle", expected: [] },
  ];
  for (const { name, expected } of cases)
    it(`${name} → ${expected.join(" ") || "no address"}`, () => {
      assert.deepEqual([...(VIEW.findAddresses(name) ?? ["none"])].sort(), expected);
    });

  it("a service without a VIP is its serving tasks", () => {
    const view = new NameView([planZone(table(3, EndpointSpec_Mode.DNSRR))]);
    assert.deepEqual(view.findAddresses("web"), ["10.0.1.10", "10.0.1.12"]);
  });

  it("a task that does not serve has no name", () => {
    assert.equal(VIEW.findAddresses("web.1.task1"), undefined);
  });

  it("an address has a name", () => {
    assert.equal(VIEW.findName("10.0.1.2"), "Web.app");
    assert.equal(VIEW.findName("9.9.9.9"), undefined);
  });

  it("the ingress network has no names", () => {
    const ingress = EndpointTable.fromPartial({
      ...table(3),
      network: { name: "i", ingress: true },
    });
    assert.equal(planZone(ingress).addresses.size, 0);
  });
});
