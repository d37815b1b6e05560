import { expect } from "chai";
import { type ServiceSpec, UpdateStatus_State } from "../../proto/gen/objects.ts";
import {
  type ServiceSpecInput,
  StoreFixture,
  serviceSpec,
} from "../../test/support/store-fixture.ts";
import type { StoredService } from "./objects.ts";
import { rollbackServiceChanges, updateServiceChanges } from "./service-changes.ts";

const port = (publishedPort: number, publishMode: 1 | 2 = 1) => ({
  targetPort: 80,
  publishedPort,
  publishMode,
});

describe("store: revisions of a service", () => {
  const from: ServiceSpecInput = { endpoint: { ports: [port(80)] } };
  const cases: readonly { name: string; to: ServiceSpecInput; revision: number }[] = [
    { name: "replicas make none", to: { ...from, replicas: 9 }, revision: 1 },
    { name: "labels make none", to: { ...from, labels: { a: "b" } }, revision: 1 },
    {
      name: "another published port makes none",
      to: { endpoint: { ports: [port(81)] } },
      revision: 1,
    },
    { name: "no published port makes none", to: {}, revision: 1 },
    {
      name: "an image makes one",
      to: { ...from, task: { container: { image: "nginx:2" } } },
      revision: 2,
    },
    {
      name: "force makes one",
      to: { ...from, task: { container: { image: "nginx:1" }, forceUpdate: 1 } },
      revision: 2,
    },
    { name: "a host port makes one", to: { endpoint: { ports: [port(80, 2)] } }, revision: 2 },
  ];
  for (const { name, to, revision } of cases) {
    it(name, () => {
      const cluster = new StoreFixture();
      cluster.addService("web", from);
      update(cluster, serviceSpec({ name: "web", ...to }));
      expect(web(cluster).revision).to.equal(revision);
      expect([...cluster.view.revisions.ofService("web")].length).to.equal(revision);
    });
  }

  it("a first published port makes one: its tasks need the ingress network", () => {
    const cluster = new StoreFixture();
    cluster.addService("web");
    update(cluster, serviceSpec({ name: "web", ...from }));
    expect(web(cluster).revision).to.equal(2);
  });

  it("going back takes the revision there was, so that its tasks stay", () => {
    const cluster = new StoreFixture();
    cluster.addService("web");
    update(cluster, serviceSpec({ task: { container: { image: "nginx:2" } } }));
    cluster.must(...(rollbackServiceChanges(cluster.view, web(cluster), 5) ?? []));
    expect(web(cluster)).to.deep.include({ revision: 1 });
    expect(web(cluster).spec.task.container?.image).to.equal("nginx:1");
    expect(web(cluster).previousSpec?.task?.container?.image).to.equal("nginx:2");
    expect(web(cluster).updateStatus?.state).to.equal(UpdateStatus_State.ROLLBACK_STARTED);
    update(cluster, serviceSpec({ task: { container: { image: "nginx:3" } } }));
    expect(web(cluster).revision).to.equal(3);
  });

  it("there is nothing to go back to before the first update", () => {
    const cluster = new StoreFixture();
    cluster.addService("web");
    expect(rollbackServiceChanges(cluster.view, web(cluster), 5)).to.equal(undefined);
  });
});

function web(cluster: StoreFixture): StoredService {
  const service = cluster.view.services.get("web");
  if (service === undefined) throw new Error("no service");
  return service;
}

function update(cluster: StoreFixture, spec: ServiceSpec): void {
  cluster.must(...updateServiceChanges(cluster.view, web(cluster), spec));
}
