import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { systemClock } from "../../core/system-clock.ts";
import { newImages } from "../../daemon/engine/images.ts";
import { newRegistries } from "../../daemon/engine/registries.ts";
import { ImageStore } from "../../runtime/image/image-store.ts";
import { ask, askJson } from "../support/ask.ts";
import { eventually } from "../support/eventually.ts";
import { type GatedRegistry, startGatedRegistry } from "../support/gated-registry.ts";
import { packOciArchive } from "../support/image-archive.ts";
import { type MemoryApi, startMemoryApi } from "../support/memory-api.ts";
import { packTar } from "../support/tar-writer.ts";

const TAR = { "Content-Type": "application/x-tar" };
/** Larger than what sockets and streams hold back. */
const BIG = randomBytes(16 * 1024 * 1024);

describe("integration: the API over a real image store", function () {
  this.timeout(30_000);
  let directory: string;
  let store: ImageStore;
  let api: MemoryApi;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-api-images-"));
    store = await ImageStore.open(directory);
    api = await startMemoryApi(() => ({
      images: newImages(store, systemClock, { publish() {} }),
      registries: newRegistries(store),
    }));
  });
  after(async () => {
    await api?.close();
    await store?.close();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  const archiveOf = (name: string, content: string | Uint8Array = name) =>
    packOciArchive({ name, layers: [packTar([{ name: "file", content }])], settings: {} });
  const load = (body: Buffer) => ask(api.socketPath, "POST /images/load", { headers: TAR, body });
  const status = async (operation: string, headers: Record<string, string> = {}) =>
    (await ask(api.socketPath, operation, { headers })).status;
  const half = () => readdirSync(join(directory, "image/ingest"));

  it("never fails by itself, whatever it is asked for", async () => {
    await load(archiveOf("box:1"));
    const names = [
      ...[
        "..",
        "../../etc/passwd",
        "a//b",
        "%2e%2e%2f",
        "%00",
        "A",
        "-",
        "sha256:zz",
        "x".repeat(4000),
      ],
      ...[
        "box:1/../box:1",
        "@sha256:",
        `a@sha256:${"0".repeat(64)}`,
        "日本",
        "__proto__",
        "a:b:c",
        "%F0%9F",
      ],
    ];
    const operations = names
      .map(encodeURI)
      .flatMap((name) => [
        ...[`GET /images/${name}/json`, `GET /images/${name}/history`, `GET /images/${name}/get`],
        ...[`DELETE /images/${name}`, `POST /images/${name}/tag?repo=${name}`],
        ...[`POST /images/create?fromImage=${name}&tag=${name}x/`, `GET /images/get?names=${name}`],
        `GET /images/json?filters=${encodeURIComponent(JSON.stringify({ before: [name] }))}`,
      ]);
    const statuses = await Promise.all(operations.map((operation) => status(operation)));
    const wrong = operations.filter((_, i) => ![400, 404].includes(statuses[i] ?? 0));
    expect(wrong).to.deep.equal([]);
    expect((await askJson(api.socketPath, "GET /images/json")).json).to.have.lengthOf(1);
  });

  const refused: { operation: string; expected: number; headers?: Record<string, string> }[] = [
    { operation: "POST /images/create", expected: 400 },
    {
      operation: "POST /images/create?fromImage=127.0.0.1:9/x&tag=1&platform=..%2Fx",
      expected: 400,
    },
    { operation: "POST /images/create?fromImage=127.0.0.1:9/x&tag=1", expected: 503 },
    {
      operation: "POST /images/create?fromImage=127.0.0.1:9/x&tag=1",
      headers: { "X-Registry-Auth": "secret!" },
      expected: 503,
    },
    { operation: "GET /images/get", expected: 400 },
    { operation: "GET /images/search", expected: 400 },
    { operation: "GET /images/search?term=x&limit=1000", expected: 400 },
    { operation: "POST /auth", expected: 400 },
    { operation: "GET /system/df?type=everything", expected: 400 },
    {
      operation: "POST /images/prune?filters=%7B%22dangling%22%3A%5B%22perhaps%22%5D%7D",
      expected: 400,
    },
  ];
  for (const { operation, expected, headers } of refused) {
    it(`answers ${expected} to ${operation.slice(0, 70)}${headers ? " with a bad login" : ""}`, async () => {
      const { status: got, body } = await ask(
        api.socketPath,
        operation,
        headers ? { headers } : {},
      );
      expect(got, body.toString()).to.equal(expected);
      expect(body.toString()).to.not.contain("secret!");
    });
  }

  it("tells in the stream what is wrong with an archive, as Docker does", async () => {
    const { status: got, body } = await ask(api.socketPath, "POST /images/load", { headers: TAR });
    const line = JSON.parse(body.toString()) as { readonly error?: string };
    expect(got).to.equal(200);
    expect(line.error).to.match(/^not an image archive/);
  });

  it("takes archives however they are packed", async () => {
    const archive = archiveOf("packed:1", Buffer.from("content"));
    for (const program of ["gzip", "xz"]) {
      const packed = execFileSync(program, ["-c"], { input: archive });
      const { body } = await load(packed);
      expect(body.toString(), program).to.contain("Loaded image: packed:1");
    }
    await ask(api.socketPath, "DELETE /images/packed:1");
  });

  it("imports what a URL leads to, and says why it cannot", async () => {
    const tar = packTar([{ name: "file", content: "content" }]);
    const server = createServer((asked, answer) => {
      if (asked.url === "/there") answer.writeHead(302, { location: "/root.tar" }).end();
      else if (asked.url === "/root.tar") answer.end(tar);
      else answer.writeHead(404).end("nothing here");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const fetch = (source: string) =>
      ask(api.socketPath, `POST /images/create?repo=fetched&tag=1&fromSrc=${source}`);
    const lines = (await fetch(`${url}/there`)).body.toString().trim().split("\r\n");
    expect(lines[0]).to.equal(`{"status":"Downloading from http://${url}/there"}`);
    expect(lines.at(-1)).to.match(/^{"status":"sha256:[0-9a-f]{64}"}$/);
    expect(await status("DELETE /images/fetched:1")).to.equal(200);
    const { status: got, body } = await fetch(`http://${url}/none`);
    expect(got).to.equal(404);
    expect(body.toString()).to.contain(
      `failed to GET http://${url}/none with status 404: nothing here`,
    );
    expect((await fetch("ftp://x/y")).status).to.equal(400);
    server.close();
  });

  it("reads to its end what it has refused in the middle", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const sent = request({
      ...{ socketPath: api.socketPath, method: "POST", path: "/images/load", agent },
      headers: { ...TAR, "Content-Length": 2 * BIG.length },
    });
    const closed = once(sent, "close");
    sent.write(BIG);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    sent.end(BIG);
    await closed;
    // By the same connection: it was not cut.
    const next = request({ socketPath: api.socketPath, path: "/_ping", agent }).end();
    const [pong] = (await once(next, "response")) as [IncomingMessage];
    expect([pong.statusCode, next.reusedSocket]).to.deep.equal([200, true]);
    agent.destroy();
  });

  it("keeps nothing of an archive whose sender goes away in the middle", async () => {
    const archive = archiveOf("gone:1", BIG);
    const sent = request({
      ...{ socketPath: api.socketPath, method: "POST", path: "/images/load" },
      headers: { ...TAR, "Content-Length": archive.length },
    });
    sent.on("error", () => {});
    sent.write(archive.subarray(0, archive.length / 2));
    await eventually("some of it is here", async () => half().length > 0);
    sent.destroy();
    await eventually("all of it is gone", async () => half().length === 0);
    expect(await status("GET /images/gone:1/json")).to.equal(404);
  });

  it("sends no more of an archive than its reader takes", async () => {
    await load(archiveOf("big:1", BIG));
    const asked = request({ socketPath: api.socketPath, path: "/images/big:1/get" }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.pause();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) await turn();
    // Half of the image: what sockets, streams and one piece of a file may hold.
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(BIG.length / 2);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).to.be.greaterThan(BIG.length);
  });

  it("lets go of what a reader leaves in the middle", async () => {
    const asked = request({ socketPath: api.socketPath, path: "/images/big:1/get" }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.destroy();
    expect(await status("DELETE /images/big:1")).to.equal(200);
    const blobs = () => readdirSync(join(directory, "image/blobs/sha256")).length;
    await eventually("its blobs are swept", async () => blobs() === 3);
  });

  it("cuts off who follows a pull and does not read", async () => {
    let ended = false;
    const endless = await startMemoryApi(({ images }) => ({
      images: {
        ...images,
        async pullImage(_ref, { onProgress, signal }) {
          const line = { id: "a", currentBytes: 0, totalBytes: 0, status: "x".repeat(10_000) };
          while (!signal.aborted) {
            onProgress(line);
            await turn();
          }
          ended = true;
        },
      },
    }));
    const path = "/images/create?fromImage=x&tag=1";
    const asked = request({ socketPath: endless.socketPath, method: "POST", path }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    response.on("error", () => {}).pause();
    await eventually("it is cut off", async () => ended);
    await endless.close();
  });

  it("answers a hundred at once", async () => {
    const operations = ["GET /images/json", "GET /images/box:1/json", "GET /images/box:1/get"];
    const asked = Array.from({ length: 100 }, (_, i) => status(operations[i % 3] ?? ""));
    expect(new Set(await Promise.all(asked))).to.deep.equal(new Set([200]));
  });

  describe("pulls of several clients", () => {
    let registry: GatedRegistry;
    let source: ImageStore;
    beforeEach(async () => {
      const from = mkdtempSync(join(directory, "source-"));
      source = await ImageStore.open(from);
      await source.load(Readable.from([archiveOf("app:1", randomBytes(400_000))]));
      registry = await startGatedRegistry(join(from, "image"));
    });
    afterEach(async () => {
      await registry.close();
      await source.close();
    });

    async function pull(name: string): Promise<IncomingMessage> {
      const path = `/images/create?fromImage=${registry.addr}/${name}&tag=1`;
      const asked = request({ socketPath: api.socketPath, method: "POST", path }).end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      response.on("error", () => {});
      return response;
    }
    async function lastLine(response: IncomingMessage): Promise<string> {
      let text = "";
      for await (const chunk of response) text += String(chunk);
      return text.trim().split("\r\n").at(-1) ?? "";
    }

    it("share the work, and go on when one of them leaves", async () => {
      const [left, right] = await Promise.all([pull("app"), pull("app")]);
      await eventually("the layer is on its way", async () => registry.begun === 1);
      left.destroy();
      const ended = lastLine(right);
      for (let i = 0; i < 20; i++) await turn();
      registry.open();
      expect(await ended).to.match(/Status: Downloaded newer image for .*\/app:1/);
      expect([registry.begun, registry.gone]).to.deep.equal([1, 0]);
      expect(await status(`DELETE /images/${registry.addr}/app:1`)).to.equal(200);
    });

    it("end when the last of them leaves, and nothing stays half", async () => {
      const [left, right] = await Promise.all([pull("app"), pull("app")]);
      await eventually("the layer is on its way", async () => registry.begun === 1);
      left.destroy();
      right.destroy();
      await eventually("the registry is left alone", async () => registry.gone === 1);
      await eventually("nothing is half here", async () => half().length === 0);
      expect(await status(`GET /images/${registry.addr}/app:1/json`)).to.equal(404);
    });
  });
});
