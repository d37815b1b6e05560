import { expect } from "chai";
import { askJson } from "../support/ask.ts";
import { type MemoryApi, startMemoryApi } from "../support/memory-api.ts";

const PASSWORD = "correct horse battery staple";
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("integration: configs and secrets over the API", function () {
  this.timeout(20_000);
  let api: MemoryApi;
  before(async () => {
    api = await startMemoryApi();
  });
  after(async () => api?.close());

  const ask = async (what: string, body?: unknown) => {
    const { status, json } = await askJson(api.socketPath, what, body);
    return { status, json: json as never };
  };
  const make = async (kind: "configs" | "secrets", name: string, more: object = {}) => {
    const body = { Name: name, Data: base64(PASSWORD), ...more };
    const { status, json } = await ask(`POST /${kind}/create`, body);
    expect(status, JSON.stringify(json)).to.equal(201);
    return (json as { ID: string }).ID;
  };
  const messageOf = async (what: string, body?: unknown) => {
    const { status, json } = await ask(what, body);
    return `${status} ${(json as { message: string } | undefined)?.message ?? ""}`;
  };

  it("shows a config with its data, by name, id and beginning of an id", async () => {
    const id = await make("configs", "site", { Labels: { a: "b" } });
    for (const ref of ["site", id, id.slice(0, 10)]) {
      const { status, json } = await ask(`GET /configs/${ref}`);
      expect(status).to.equal(200);
      expect((json as { Spec: unknown }).Spec).to.deep.equal({
        Name: "site",
        Labels: { a: "b" },
        Data: base64(PASSWORD),
      });
    }
    const listed = (await ask("GET /configs")).json as { Spec: { Data?: string } }[];
    expect(listed.map(({ Spec }) => Spec.Data)).to.deep.equal([base64(PASSWORD)]);
    const bare = (await ask("GET /configs?data=0")).json as { Spec: { Data?: string } }[];
    expect(bare.map(({ Spec }) => Spec.Data)).to.deep.equal([undefined]);
  });

  it("shows of a secret everything but its data", async () => {
    const id = await make("secrets", "password", { Labels: { tier: "db" } });
    const { Version } = (await ask(`GET /secrets/${id}`)).json as { Version: { Index: number } };
    await ask(`POST /secrets/${id}/update?version=${Version.Index}`, {
      Name: "password",
      Labels: { tier: "front" },
    });
    const filters = encodeURIComponent(JSON.stringify({ label: { "tier=front": true } }));
    for (const path of ["/secrets", `/secrets?filters=${filters}`, "/secrets/password"]) {
      const { status, json } = await ask(`GET ${path}`);
      expect(status).to.equal(200);
      const text = JSON.stringify(json);
      expect(text).to.contain('"tier":"front"').and.to.not.contain(base64(PASSWORD));
      expect(text).to.not.contain("Data");
    }
  });

  it("keeps what is in it and its name", async () => {
    await make("secrets", "fixed");
    const update = async (body: object) => {
      const { Version } = (await ask("GET /secrets/fixed")).json as { Version: { Index: number } };
      return messageOf(`POST /secrets/fixed/update?version=${Version.Index}`, body);
    };
    const refused = "400 only updates to Labels are allowed";
    expect(await update({ Name: "fixed", Data: base64("other") })).to.equal(refused);
    expect(await update({ Name: "moved" })).to.equal(refused);
    expect(await update({ Name: "fixed", Data: base64(PASSWORD) })).to.equal("200 ");
    expect(await messageOf("POST /secrets/fixed/update?version=1", { Name: "fixed" })).to.equal(
      "409 update out of sequence",
    );
  });

  const refused: { name: string; path: string; body: object; message: string }[] = [
    {
      name: "a templating driver",
      path: "/configs/create",
      body: { Name: "t", Data: "eA==", Templating: { Name: "golang" } },
      message: "400 templating drivers are not supported",
    },
    {
      name: "an external driver",
      path: "/secrets/create",
      body: { Name: "t", Driver: { Name: "vault" } },
      message: "400 external secret drivers are not supported",
    },
    {
      name: "data that is not base64, without quoting it",
      path: "/secrets/create",
      body: { Name: "t", Data: "hunter2!" },
      message: "400 invalid request: Data must be base64 (RFC 4648)",
    },
    {
      name: "a name that is taken",
      path: "/secrets/create",
      body: { Name: "Taken", Data: "eA==" },
      message: "409 secret Taken already exists",
    },
    {
      name: "no data",
      path: "/secrets/create",
      body: { Name: "t" },
      message: "400 secret data must be larger than 0 and less than 512000 bytes",
    },
  ];
  for (const { name, path, body, message } of refused) {
    it(`refuses ${name}`, async () => {
      if (name === "a name that is taken") await make("secrets", "taken");
      expect(await messageOf(`POST ${path}`, body)).to.contain(message);
    });
  }

  it("is removed when no service reads it, and not before", async () => {
    const secret = await make("secrets", "used");
    const config = await make("configs", "used");
    const file = { Name: "used", UID: "0", GID: "0", Mode: 0o444 };
    const container = {
      Image: "nginx:1",
      Secrets: [{ File: file, SecretID: secret, SecretName: "used" }],
      Configs: [{ File: file, ConfigName: "used" }],
    };
    const { status, json } = await ask("POST /services/create", {
      Name: "reader",
      TaskTemplate: { ContainerSpec: container },
    });
    expect(status, JSON.stringify(json)).to.equal(201);
    const service = (await ask("GET /services/reader")).json as {
      Spec: { TaskTemplate: { ContainerSpec: object } };
    };
    expect(service.Spec.TaskTemplate.ContainerSpec).to.deep.include({
      Secrets: container.Secrets,
      Configs: [{ File: file, ConfigID: config, ConfigName: "used" }],
    });
    for (const kind of ["secret", "config"]) {
      expect(await messageOf(`DELETE /${kind}s/used`)).to.equal(
        `400 ${kind} 'used' is in use by the following service: reader`,
      );
    }
    await ask("DELETE /services/reader");
    expect((await ask("DELETE /secrets/used")).status).to.equal(204);
    expect((await ask("DELETE /configs/used")).status).to.equal(204);
    expect(await messageOf("GET /secrets/used")).to.equal("404 secret used not found");
  });

  it("names what a service cannot read because it is not there", async () => {
    const file = { Name: "x", UID: "0", GID: "0", Mode: 0o444 };
    const container = { Image: "nginx:1", Secrets: [{ File: file, SecretName: "nope" }] };
    const body = { Name: "lost", TaskTemplate: { ContainerSpec: container } };
    expect(await messageOf("POST /services/create", body)).to.equal("400 secret not found: nope");
  });
});
