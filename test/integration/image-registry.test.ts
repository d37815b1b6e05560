import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import { ImageStore } from "../../runtime/image/image-store.ts";
import type { ImageStoreOptions, ProgressEvent } from "../../runtime/image/types.ts";
import { eventually } from "../support/eventually.ts";
import { failureOf } from "../support/failure-of.ts";
import { freePort } from "../support/free-port.ts";
import { packOciArchive, sha256 } from "../support/image-archive.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";
import {
  type SeenRequest,
  startTamperingProxy,
  type Tampering,
} from "../support/tampering-proxy.ts";
import { packTar } from "../support/tar-writer.ts";

const PASS: Tampering = { kind: "pass" };
/** Large enough to be cut in the middle, and it does not compress. */
const LAYER = packTar([{ name: "data", content: randomBytes(400_000) }]);
const SMALL_LAYER = packTar([{ name: "etc/motd", content: "hello" }]);

function isBlob({ method, path }: SeenRequest): boolean {
  return method === "GET" && path.includes("/blobs/");
}

describe("images and a registry", () => {
  let directory: string;
  let registry: RunningRegistry;
  const closing: (() => Promise<void>)[] = [];

  async function newStore(name: string, options: ImageStoreOptions = {}): Promise<ImageStore> {
    const store = await ImageStore.open(join(directory, name), options);
    closing.push(() => store.close());
    return store;
  }

  async function newProxy(decide: (asked: SeenRequest) => Tampering) {
    const proxy = await startTamperingProxy(registry.addr, decide);
    closing.push(() => proxy.close());
    return proxy;
  }

  /** What a store has on disk beside its catalog: whole blobs, and anything half done. */
  function contents(name: string) {
    return {
      blobs: readdirSync(join(directory, name, "image/blobs/sha256")),
      half: [
        ...readdirSync(join(directory, name, "image/ingest")),
        ...readdirSync(join(directory, name, "overlay/tmp")),
      ],
    };
  }

  before(async function () {
    this.timeout(60_000);
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-registry-"));
    mkdirSync(join(directory, "registry"));
    registry = await startRegistry({
      dir: join(directory, "registry"),
      listen: `127.0.0.1:${await freePort()}`,
    });
    const store = await newStore("source");
    const archive = packOciArchive({
      name: `${registry.addr}/team/app:v1`,
      layers: [SMALL_LAYER, LAYER],
      settings: { Cmd: ["sh"], Labels: { a: "b" } },
    });
    await store.load(Readable.from([archive]));
    await store.push(`${registry.addr}/team/app:v1`);
  });
  afterEach(async () => {
    for (const close of closing.splice(1)) await close();
  });
  after(async () => {
    for (const close of closing.splice(0)) await close();
    await registry?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("pulls what was pushed, and says what it does as Docker does", async () => {
    const source = await ImageStore.open(join(directory, "source"));
    const store = await newStore("plain");
    const name = `${registry.addr}/team/app:v1`;
    const events: ProgressEvent[] = [];

    const image = await store.pull(name, { onProgress: (event) => events.push(event) });

    const original = source.get(name);
    expect(image).to.deep.equal(original);
    expect(image.repoTags).to.deep.equal([name]);
    expect(image.repoDigests[0]).to.match(/\/team\/app@sha256:[0-9a-f]{64}$/);
    expect(image.config.labels).to.deep.equal({ a: "b" });
    expect(store.get(image.repoDigests[0] ?? "").id).to.equal(image.id);
    expect(store.get(image.id.slice(7, 19)).id).to.equal(image.id);
    const statuses = events.map(({ status }) => status);
    expect(statuses[0]).to.equal("Pulling from team/app");
    expect(statuses).to.include.members([
      "Pulling fs layer",
      "Downloading",
      "Extracting",
      "Pull complete",
    ]);
    expect(statuses.at(-2)).to.match(/^Digest: sha256:/);
    expect(statuses.at(-1)).to.equal(`Status: Downloaded newer image for ${name}`);

    events.length = 0;
    await store.pull(name, { onProgress: (event) => events.push(event) });
    expect(events.map(({ status }) => status.replace(/^Digest: .*/, "Digest"))).to.deep.equal([
      ...["Pulling from team/app", "Digest", `Status: Image is up to date for ${name}`],
    ]);
    await source.close();
  });

  it("opens again with what it had", async () => {
    const first = await newStore("again");
    const image = await first.pull(`${registry.addr}/team/app:v1`);
    expect((await newStore("again")).list()).to.deep.equal([image]);
  });

  it("fetches each blob once for two pulls at the same time", async () => {
    const proxy = await newProxy(() => PASS);
    const store = await newStore("shared");
    const pulls = [1, 2, 3].map(() => store.pull(`${proxy.addr}/team/app:v1`));
    const [first, ...others] = await Promise.all(pulls);
    for (const other of others) expect(other).to.deep.equal(first);
    const fetched = proxy.seen.filter(isBlob).map(({ path }) => path);
    expect(fetched).to.have.length(3);
    expect(new Set(fetched).size).to.equal(3);
  });

  it("goes on where a connection broke", async function () {
    // NOTE: on a busy machine the bytes before the break can be lost with it: then there is nothing to go on from.
    this.retries(3);
    let cuts = 0;
    const proxy = await newProxy((asked) =>
      isBlob(asked) && cuts++ < 5 ? { kind: "cut", afterBytes: 100_000 } : PASS,
    );
    const name = `resumed-${Math.random()}`;
    const store = await newStore(name);
    await store.pull(`${proxy.addr}/team/app:v1`);
    expect(proxy.seen.map(({ range }) => range)).to.include("bytes=100000-");
    expect(contents(name).half).to.deep.equal([]);
  });

  it("gives up when the connection always breaks, and nothing is seen of it", async function () {
    this.timeout(20_000);
    const proxy = await newProxy((asked) =>
      isBlob(asked) ? { kind: "cut", afterBytes: 10 } : PASS,
    );
    const store = await newStore("broken");
    const error = await failureOf(store.pull(`${proxy.addr}/team/app:v1`));
    expect(error).to.include({ code: "Unavailable" });
    expect(error.message).to.include(proxy.addr);
    expect(store.list()).to.deep.equal([]);
    expect(contents("broken").half).to.deep.equal([]);
  });

  it("asks again after a passing failure of the registry", async () => {
    let failures = 0;
    const proxy = await newProxy(({ path }) =>
      path.includes("/manifests/") && failures++ < 2 ? { kind: "status", status: 503 } : PASS,
    );
    const store = await newStore("passing");
    expect((await store.pull(`${proxy.addr}/team/app:v1`)).layers).to.have.length(2);
  });

  it("refuses a layer with another digest, and removes it", async () => {
    const proxy = await newProxy((asked) => (isBlob(asked) ? { kind: "corrupt" } : PASS));
    const store = await newStore("corrupt");
    const error = await failureOf(store.pull(`${proxy.addr}/team/app:v1`));
    expect(error).to.include({ code: "DataLoss" });
    expect(error.message)
      .to.include(`${proxy.addr}/team/app:v1`)
      .and.match(/has digest .* wanted/);
    expect(contents("corrupt")).to.deep.equal({ blobs: [], half: [] });
    expect(store.list()).to.deep.equal([]);
  });

  it("refuses a manifest that is not what its digest says", async () => {
    const proxy = await newProxy(({ path }) =>
      path.includes("/manifests/") ? { kind: "corrupt" } : PASS,
    );
    const store = await newStore("forged");
    const [digest = ""] =
      (await ImageStore.open(join(directory, "source"))).list()[0]?.repoDigests ?? [];
    const error = await failureOf(store.pull(`${proxy.addr}/team/app@${digest.split("@")[1]}`));
    expect(error).to.include({ code: "DataLoss" });
  });

  const unknown = [
    {
      name: "tag",
      path: "team/app:v2",
      reason: /manifest for .*team\/app:v2 not found: manifest unknown/,
    },
    { name: "repository", path: "team/nothing:v1", reason: /team\/nothing.* not found/ },
  ];
  for (const { name, path, reason } of unknown) {
    it(`says that a ${name} does not exist`, async () => {
      const store = await newStore("unknown");
      const error = await failureOf(store.pull(`${registry.addr}/${path}`));
      expect(error).to.include({ code: "NotFound" });
      expect(error.message).to.match(reason);
    });
  }

  it("says which registry is not there", async () => {
    const addr = `127.0.0.1:${await freePort()}`;
    const store = await newStore("down");
    const error = await failureOf(store.pull(`${addr}/app`));
    expect(error).to.include({ code: "Unavailable" });
    expect(error.message).to.match(
      new RegExp(`^Get "https?://${addr}/v2/": dial tcp ${addr}: connect: connection refused$`),
    );
  });

  it("ends when its caller gives up, and can be begun again", async () => {
    let blobs = 0;
    // The first blob is the configuration.
    const proxy = await newProxy((asked) =>
      isBlob(asked) && ++blobs === 2 ? { kind: "stall", afterBytes: 1 } : PASS,
    );
    const store = await newStore("cancelled");
    const abort = new AbortController();
    const onProgress = ({ status }: ProgressEvent): void => {
      if (status === "Downloading") abort.abort();
    };
    const name = `${proxy.addr}/team/app:v1`;
    const error = await failureOf(store.pull(name, { signal: abort.signal, onProgress }));
    expect(error).to.include({ code: "Cancelled" });
    expect((await store.pull(name)).layers).to.have.length(2);
    expect(contents("cancelled").half).to.deep.equal([]);
  });

  it("leaves nothing half done behind when it is killed", async function () {
    this.timeout(30_000);
    let blobs = 0;
    const proxy = await newProxy((asked) =>
      isBlob(asked) && ++blobs === 3 ? { kind: "stall", afterBytes: 1000 } : PASS,
    );
    const name = `${proxy.addr}/team/app:v1`;
    const script = `
      import { ImageStore } from ${JSON.stringify(new URL("../../runtime/image/image-store.ts", import.meta.url).href)};
      const store = await ImageStore.open(${JSON.stringify(join(directory, "killed"))});
      await store.pull(${JSON.stringify(name)});`;
    const child = spawn(process.execPath, ["--import=tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    await eventually(
      "the second layer is half there",
      () => blobs === 3 && contents("killed").half.length > 0,
      20_000,
    );
    child.kill("SIGKILL");
    await once(child, "exit");

    const store = await newStore("killed");
    expect(store.list()).to.deep.equal([]);
    expect(contents("killed")).to.deep.equal({ blobs: [], half: [] });
    expect((await store.pull(name)).layers).to.have.length(2);
  });

  it("chooses this machine's image of an index, and knows it by the index's digest", async () => {
    const source = await newStore("source-again");
    await source.pull(`${registry.addr}/team/app:v1`);
    const manifest = await fetch(`http://${registry.addr}/v2/team/app/manifests/v1`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
    });
    const bytes = Buffer.from(await manifest.arrayBuffer());
    const entry = {
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest: sha256(bytes),
      size: bytes.length,
    };
    const architecture = source.list()[0]?.platform.architecture;
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ ...entry, platform: { os: "linux", architecture } }],
    });
    const put = await fetch(`http://${registry.addr}/v2/team/app/manifests/multi`, {
      method: "PUT",
      body: index,
      headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
    });
    expect(put.status).to.equal(201);

    const store = await newStore("multi");
    const name = `${registry.addr}/team/app:multi`;
    const remote = await store.resolveDigest(name);
    const image = await store.pull(name);

    expect(remote.descriptor.digest).to.equal(sha256(Buffer.from(index)));
    expect(remote.platforms).to.deep.equal([{ os: "linux", architecture, variant: "" }]);
    expect(image.repoDigests).to.deep.equal([
      `${registry.addr}/team/app@${remote.descriptor.digest}`,
    ]);
    const other = { os: "linux", architecture: "s390x", variant: "" };
    const error = await failureOf(store.pull(name, { platform: other }));
    expect(error.message).to.match(/no image for linux\/s390x; there is linux\//);
  });

  it("says a digest and a platform without pulling", async () => {
    const store = await newStore("resolve");
    const { descriptor, platforms } = await store.resolveDigest(`${registry.addr}/team/app:v1`);
    expect(descriptor.mediaType).to.equal("application/vnd.oci.image.manifest.v1+json");
    expect(platforms[0]?.os).to.equal("linux");
    expect(store.list()).to.deep.equal([]);
  });

  it("asks a mirror for docker.io's images", async () => {
    const store = await newStore("mirrored", { registryMirrors: [`http://${registry.addr}`] });
    expect((await store.pull("team/app:v1")).repoTags).to.deep.equal(["team/app:v1"]);
  });
});
