import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect } from "chai";
import { ImageStore } from "../../runtime/image/image-store.ts";
import type { Credentials } from "../../runtime/image/types.ts";
import { failureOf } from "../support/failure-of.ts";
import { freePort } from "../support/free-port.ts";
import { packOciArchive } from "../support/image-archive.ts";
import { type RegistryOptions, type RunningRegistry, startRegistry } from "../support/registry.ts";
import { packTar } from "../support/tar-writer.ts";
import { selfSigned, startTokenServer, type TokenServer } from "../support/token-server.ts";

/** `correct horse`, by perl's crypt. */
const HTPASSWD = "alice:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";

function credentials(password: string): Credentials {
  return { username: "alice", password, identityToken: "", registryToken: "" };
}

describe("images and a registry with a login", () => {
  let directory: string;
  let store: ImageStore;
  const closing: (() => Promise<void>)[] = [];

  async function newRegistry(
    options: Omit<RegistryOptions, "dir" | "listen">,
  ): Promise<RunningRegistry> {
    const registry = await startRegistry({
      dir: mkdtempSync(join(directory, "registry-")),
      listen: `127.0.0.1:${await freePort()}`,
      ...options,
    });
    closing.push(() => registry.close());
    return registry;
  }

  /** An image of the store, named for the registry. */
  async function newImage({ addr }: RunningRegistry): Promise<string> {
    const name = `${addr}/private/app:v1`;
    const layers = [packTar([{ name: "file", content: addr }])];
    await store.load(Readable.from([packOciArchive({ name, layers, settings: {} })]));
    return name;
  }

  before(async function () {
    this.timeout(60_000);
    if (process.getuid?.() !== 0) this.skip();
    directory = mkdtempSync(join(tmpdir(), "muster-login-"));
    store = await ImageStore.open(join(directory, "store"));
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  after(async () => {
    await store?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("gives name and password when asked to (htpasswd)", async () => {
    const name = await newImage(await newRegistry({ htpasswd: HTPASSWD }));
    for (const given of [undefined, credentials("wrong")]) {
      const error = await failureOf(store.push(name, { credentials: given }));
      expect(error).to.include({ code: "Unauthenticated" });
      expect(error.message)
        .to.match(given ? /push access denied for .*private\/app/ : /^no basic auth credentials$/)
        .and.not.include("wrong");
    }
    await store.push(name, { credentials: credentials("correct horse") });
    expect(await failureOf(store.pull(name))).to.include({ code: "Unauthenticated" });
    await store.pull(name, { credentials: credentials("correct horse") });
  });

  it("fetches a token for what it is about to do", async () => {
    const tokens: TokenServer = await startTokenServer("alice", "correct horse");
    closing.push(() => tokens.close());
    const name = await newImage(await newRegistry({ token: tokens }));
    const error = await failureOf(store.push(name, { credentials: credentials("wrong") }));
    expect(error).to.include({ code: "Unauthenticated" });
    await store.push(name, { credentials: credentials("correct horse") });
    await store.pull(name, { credentials: credentials("correct horse") });
    expect([...new Set(tokens.scopes)]).to.deep.equal([
      "repository:private/app:pull,push",
      "repository:private/app:pull",
    ]);
  });

  it("finds out whether a login is good: by password, by token, where none is needed", async () => {
    const tokens: TokenServer = await startTokenServer("alice", "correct horse");
    closing.push(() => tokens.close());
    const [basic, bearer] = [{ htpasswd: HTPASSWD }, { token: tokens }];
    for (const options of [basic, bearer]) {
      const { addr } = await newRegistry(options);
      const error = await failureOf(store.login(addr, credentials("wrong")));
      expect(error).to.include({ code: "Unauthenticated" });
      expect(error.message).to.match(
        /^login attempt to http:.* failed with status: 401 Unauthorized$/,
      );
      expect(await store.login(`http://${addr}/v2/`, credentials("correct horse"))).to.equal("");
    }
    expect(await store.login((await newRegistry({})).addr, credentials("any"))).to.equal("");
    expect(await failureOf(store.login("../x", credentials("")))).to.include({
      code: "InvalidArgument",
    });
  });

  it("gives the token to use from now on, and takes it the next time", async () => {
    const asked: string[] = [];
    const realm = await listen((request, response) => {
      asked.push(`${request.method} ${new URL(request.url ?? "", "http://x").searchParams}`);
      response.end(JSON.stringify({ token: "now", refresh_token: "later" }));
    });
    const challenge = `Bearer realm="http://${realm}/token",service="s"`;
    const addr = await listen(({ headers }, response) => {
      const isIn = headers.authorization === "Bearer now";
      response.writeHead(isIn ? 200 : 401, { "www-authenticate": challenge }).end();
    });
    expect(await store.login(addr, credentials("correct horse"))).to.equal("later");
    const byToken = { ...credentials(""), identityToken: "later" };
    expect(await store.login(addr, byToken)).to.equal("later");
    expect(asked).to.deep.equal([
      "GET service=s&account=alice&client_id=muster&offline_token=true",
      "POST ",
    ]);
  });

  it("asks an index, and says when there is none", async () => {
    const addr = await listen(({ url }, response) => {
      const results = [{ name: "box", description: "d", star_count: 2, is_official: true }];
      if (url === "/v1/search?q=box&n=5") response.end(JSON.stringify({ results }));
      else response.writeHead(url === "/v2/" ? 200 : 404).end();
    });
    expect(await store.search(`${addr}/box`, 5)).to.deep.equal([
      { name: "box", description: "d", stars: 2, isOfficial: true, isAutomated: false },
    ]);
    const error = await failureOf(store.search(`${addr}/other`, 5));
    expect(error.message).to.contain("registries with an index can be searched");
  });

  it("takes any certificate on loopback", async () => {
    const name = await newImage(await newRegistry({ tls: await selfSigned("somebody else") }));
    await store.push(name);
    await store.pull(name);
  });

  it("does not carry the password to another host it is sent to", async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const addr = await listen((request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === "/v2/") response.writeHead(200).end();
      else if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": "Basic" }).end();
      else response.writeHead(307, { location: `http://${elsewhere}/x` }).end();
    });
    const error = await failureOf(
      store.pull(`${addr}/app`, { credentials: credentials("secret") }),
    );
    expect(error).to.include({ code: "NotFound" });
    expect(seen).to.deep.equal([undefined, undefined, `Basic ${btoa("alice:secret")}`, undefined]);
  });

  async function listen(answer: RequestListener): Promise<string> {
    const server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
});
