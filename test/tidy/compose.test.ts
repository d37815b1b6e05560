import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly dockerfile_inline: string };
  readonly privileged?: boolean;
  readonly networks?: Record<string, { ipv4_address: string }> | string[];
}

describe("docker-compose.test.yml", () => {
  const text = readFileSync(resolve(import.meta.dirname, "../../docker-compose.test.yml"), "utf8");
  const file = parse(text, { merge: true }) as { services: Record<string, ComposeService> };
  const { etcd, redis, registry, ...nodes } = file.services;

  it("has etcd, redis and a registry", () => {
    expect(
      [etcd?.image, redis?.image, registry?.image].every((image) => image !== undefined),
    ).to.equal(true);
  });

  it("has three managers and two workers, each with an address of its own", () => {
    expect(Object.keys(nodes)).to.deep.equal([
      "manager1",
      "manager2",
      "manager3",
      "worker1",
      "worker2",
    ]);
    const addresses = Object.values(nodes).map((node) => Object.values(node.networks ?? {})[0]);
    expect(new Set(addresses.map((address) => JSON.stringify(address))).size).to.equal(5);
  });

  it("installs the packages that the set-up installs", () => {
    const setup = readFileSync(resolve(import.meta.dirname, "../../scripts/with-setup.sh"), "utf8");
    const packages = /PACKAGES="([^"]+)"/.exec(setup)?.[1]?.split(" ") ?? [];
    expect(packages.length).to.be.greaterThan(5);
    for (const name of packages) expect(nodes.manager1?.build?.dockerfile_inline).to.contain(name);
  });
});
