import { expect } from "chai";
import {
  type DeepPartial,
  type PortConfig,
  PortConfig_Protocol,
  PortConfig_PublishMode,
} from "../../../proto/gen/objects.ts";
import { nodeObject, StoreFixture, serviceSpec } from "../../../test/support/store-fixture.ts";
import { createChange } from "../../store/changes.ts";
import { checkPublishedPorts } from "./published-ports.ts";

function swarm(): StoreFixture {
  const fixture = new StoreFixture();
  fixture.addCluster();
  const manager = { raftId: 1, addr: "[fd00::1]:2377" };
  fixture.must(createChange("node", { ...nodeObject("m1"), manager }));
  fixture.addNode("w1");
  return fixture;
}

describe("control: ports the swarm itself needs", () => {
  const { TCP, UDP } = PortConfig_Protocol;
  const { HOST } = PortConfig_PublishMode;
  const cases: readonly { port: DeepPartial<PortConfig>; refusal: string | undefined }[] = [
    {
      port: { publishedPort: 2377, protocol: TCP },
      refusal: "a manager listens at [fd00::1]:2377",
    },
    { port: { publishedPort: 2377, publishMode: HOST }, refusal: "a manager listens" },
    { port: { publishedPort: 4789, protocol: UDP }, refusal: "overlay networks" },
    { port: { publishedPort: 2377, protocol: UDP }, refusal: undefined },
    { port: { publishedPort: 4789, protocol: TCP }, refusal: undefined },
    { port: { publishedPort: 0, targetPort: 2377 }, refusal: undefined },
  ];
  for (const { port, refusal } of cases) {
    it(`${refusal === undefined ? "allows" : "refuses"} ${JSON.stringify(port)}`, () => {
      const spec = serviceSpec({ endpoint: { ports: [{ targetPort: 80, ...port }] } });
      const check = () => checkPublishedPorts(swarm().view, spec);
      if (refusal === undefined) expect(check).not.to.throw();
      else expect(check).to.throw(refusal);
    });
  }
});
