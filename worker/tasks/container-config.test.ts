import { expect } from "chai";
import {
  type ContainerSpec,
  type DeepPartial,
  ServiceRevision,
  Task,
  TaskSpec,
} from "../../proto/gen/objects.ts";
import { containerConfig, STOP_GRACE_DEFAULT_MS, taskName } from "./container-config.ts";
import { sandboxSpec } from "./sandbox-spec.ts";
import type { AssignedTask } from "./task-model.ts";

const SANDBOX = {
  id: "t1",
  path: "/run/netns/t1",
  resolvConf: "nameserver 127.0.0.11\n",
  addresses: ["10.0.1.5"],
};

function assigned(container: DeepPartial<ContainerSpec> = {}, slot = 3): AssignedTask {
  const spec = TaskSpec.fromPartial({ container: { image: "nginx:1", ...container } });
  const revision = ServiceRevision.fromPartial({ hostPorts: [{ targetPort: 80 }] });
  const networks = [{ networkId: "net", addresses: ["10.0.1.5/24"] }];
  const task = Task.fromPartial({ id: "t1", serviceId: "s1", nodeId: "n1", slot, networks });
  return { task, serviceName: "web", revision, spec };
}

describe("worker: container of a task", () => {
  it("is named and labelled as Docker does", () => {
    const config = containerConfig(assigned({ labels: { mine: "1" } }), SANDBOX);
    expect(config.name).to.equal("web.3.t1");
    expect(config.labels).to.deep.equal({
      mine: "1",
      "com.docker.swarm.task": "",
      "com.docker.swarm.task.id": "t1",
      "com.docker.swarm.task.name": "web.3.t1",
      "com.docker.swarm.node.id": "n1",
      "com.docker.swarm.service.id": "s1",
      "com.docker.swarm.service.name": "web",
    });
  });

  it("of a global service has its node's id in place of the slot", () => {
    expect(taskName(assigned({}, 0))).to.equal("web.n1.t1");
  });

  it("cannot take a swarm label for its own", () => {
    const config = containerConfig(
      assigned({ labels: { "com.docker.swarm.task.id": "x" } }),
      SANDBOX,
    );
    expect(config.labels["com.docker.swarm.task.id"]).to.equal("t1");
  });

  it("lives in its sandbox and asks its name server", () => {
    const config = containerConfig(assigned(), SANDBOX);
    expect(config.network).to.deep.equal({ kind: "namespace", path: "/run/netns/t1" });
    expect(config.resolvConf).to.equal(SANDBOX.resolvConf);
    expect(config.addresses).to.deep.equal(["10.0.1.5"]);
  });

  it("command replaces the entry point, args the command", () => {
    const config = containerConfig(assigned({ command: ["sh"], args: ["-c", "true"] }), SANDBOX);
    expect(config.entrypoint).to.deep.equal(["sh"]);
    expect(config.command).to.deep.equal(["-c", "true"]);
  });

  it("has ten seconds to stop, or what its spec says, be it none", () => {
    const graceOf = (container: DeepPartial<ContainerSpec>) =>
      containerConfig(assigned(container), SANDBOX).stopTimeoutMs;
    expect(graceOf({})).to.equal(STOP_GRACE_DEFAULT_MS);
    expect(graceOf({ stopGracePeriodNs: 2.5e9 })).to.equal(2_500);
    expect(graceOf({ stopGracePeriodNs: 0 })).to.equal(0);
  });

  it("checks health in milliseconds", () => {
    const healthcheck = { test: ["CMD", "true"], intervalNs: 1e9, timeoutNs: 5e8, retries: 2 };
    expect(containerConfig(assigned({ healthcheck }), SANDBOX).health).to.include({
      intervalMs: 1_000,
      timeoutMs: 500,
      retries: 2,
    });
    expect(containerConfig(assigned(), SANDBOX).health).to.equal(undefined);
  });

  it("refuses a kind of mount the runtime does not have", () => {
    const mounts = [{ type: "cluster", target: "/data" }];
    expect(() => containerConfig(assigned({ mounts }), SANDBOX)).to.throw(
      'cannot mount at /data: type "cluster" is not bind, volume or tmpfs',
    );
  });

  it("makes volumes as the spec has them, of the local driver alone", () => {
    const volume = { type: "volume", source: "v", target: "/v", volumeLabels: { a: "b" } };
    const volumeOptions = { type: "tmpfs", device: "tmpfs" };
    const [mount] = containerConfig(
      assigned({ mounts: [{ ...volume, volumeOptions, volumeDriver: "local" }] }),
      SANDBOX,
    ).mounts;
    expect(mount).to.deep.include({ labels: { a: "b" }, driverOptions: volumeOptions });
    const mounts = [{ ...volume, volumeDriver: "nfs" }];
    expect(() => containerConfig(assigned({ mounts }), SANDBOX)).to.throw(
      'cannot mount at /v: volume driver "nfs" is not local',
    );
  });

  it("its sandbox has the task's addresses and the revision's host ports", () => {
    const spec = sandboxSpec(assigned({ hostname: "db", dnsConfig: { search: ["local"] } }));
    expect(spec).to.include({ id: "t1", hostname: "db" });
    expect(spec.attachments[0]?.addresses).to.deep.equal(["10.0.1.5/24"]);
    expect(spec.hostPorts[0]?.targetPort).to.equal(80);
    expect(spec.dns).to.deep.equal({ nameservers: [], search: ["local"], options: [] });
  });
});
