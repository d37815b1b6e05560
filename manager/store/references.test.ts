import { expect } from "chai";
import { Config, type DeepPartial, Secret, type ServiceSpec } from "../../proto/gen/objects.ts";
import { StoreFixture, serviceSpec } from "../../test/support/store-fixture.ts";
import { createChange, removeChange, updateChange } from "./changes.ts";
import {
  createServiceChanges,
  rollbackServiceChanges,
  updateServiceChanges,
} from "./service-changes.ts";

const data = Buffer.from("data");
const config = (id: string, name = id) =>
  createChange("config", Config.fromPartial({ id, spec: { name }, data }));
const secret = (id: string, name = id) =>
  createChange("secret", Secret.fromPartial({ id, spec: { name }, data }));

function reading(name: string, secrets: readonly string[], configs: readonly string[] = []) {
  const task: DeepPartial<ServiceSpec["task"]> = {
    container: {
      image: "nginx:1",
      secrets: secrets.map((id) => ({ secretId: id, secretName: id, file: { name: id } })),
      configs: configs.map((id) => ({ configId: id, configName: id, file: { name: id } })),
    },
  };
  return serviceSpec({ name, ...(task === undefined ? {} : { task }) });
}

function fixture(): StoreFixture {
  const cluster = new StoreFixture();
  cluster.must(config("site"), secret("key"), secret("old"));
  cluster.must(...createServiceChanges("web", reading("web", ["key"], ["site"])));
  return cluster;
}

describe("store: configs and secrets", () => {
  const cases = [
    {
      name: "a name twice, however written",
      changes: [config("c2", "Site")],
      expected: "config Site already exists",
    },
    {
      name: "a secret that holds nothing",
      changes: [createChange("secret", Secret.fromPartial({ id: "s", spec: { name: "s" } }))],
      expected: "secret s has no data",
    },
    {
      name: "another name",
      changes: [updateChange("secret", "key", { spec: { name: "other", labels: {} } })],
      expected: "only updates to Labels are allowed",
    },
    {
      name: "other data",
      changes: [updateChange("config", "site", { data: Buffer.from("other") })],
      expected: "cannot update data of config site",
    },
    {
      name: "the removal of a secret in use",
      changes: [removeChange("secret", "key")],
      expected: "secret 'key' is in use by the following service: web",
    },
    {
      name: "the removal of a config in use",
      changes: [removeChange("config", "site")],
      expected: "config 'site' is in use by the following service: web",
    },
    {
      name: "a service that reads what is not there",
      changes: createServiceChanges("x", reading("x", ["nope", "neither"])),
      expected: "secrets not found: nope, neither",
    },
    {
      name: "a removal and a service that reads it, in this order",
      changes: [removeChange("secret", "old"), ...createServiceChanges("x", reading("x", ["old"]))],
      expected: "secret not found: old",
    },
  ];
  for (const { name, changes, expected } of cases) {
    it(`refuses ${name}, and nothing changes`, () => {
      const cluster = fixture();
      const before = [...cluster.view.secrets.values()];
      const result = cluster.apply(...changes);
      expect(result.ok ? "done" : result.message).to.equal(expected);
      expect([...cluster.view.secrets.values()]).to.deep.equal(before);
      expect(cluster.view.services.get("x")).to.equal(undefined);
    });
  }

  it("takes new labels and keeps the data", () => {
    const cluster = fixture();
    cluster.must(updateChange("config", "site", { spec: { name: "site", labels: { a: "b" } } }));
    expect(cluster.view.configs.byName("SITE")?.spec.labels).to.deep.equal({ a: "b" });
    expect(cluster.view.configs.get("site")?.data).to.deep.equal(data);
  });

  it("lets go of a secret that only the spec before reads, and can still go back to it", () => {
    const cluster = fixture();
    const web = cluster.view.services.get("web") ?? expect.fail("there is no web");
    cluster.must(...updateServiceChanges(cluster.view, web, reading("web", ["old"])));
    cluster.must(removeChange("secret", "key"));
    const changed = cluster.view.services.get("web") ?? expect.fail("there is no web");
    const back = rollbackServiceChanges(cluster.view, changed, 1) ?? expect.fail("no way back");
    cluster.must(...back);
  });

  it("does not keep what was removed in its events", () => {
    const cluster = fixture();
    const cursor = cluster.store.watch();
    cluster.must(removeChange("secret", "old"));
    const batch = cursor.take();
    const [event] = batch.kind === "events" ? batch.events : [];
    expect(event?.kind === "secret" && event.before?.data).to.have.length(0);
  });

  it("are in a snapshot", () => {
    const cluster = fixture();
    const copy = new StoreFixture().store;
    copy.restore(9, cluster.store.snapshot());
    expect(copy.view().secrets.byName("key")?.data).to.deep.equal(data);
    expect(copy.view().configs.byName("site")?.data).to.deep.equal(data);
  });
});
