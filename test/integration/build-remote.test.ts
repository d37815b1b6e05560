import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { download } from "../../runtime/build/remote/download.ts";
import { cloneContext } from "../../runtime/build/remote/git-context.ts";
import { type RunGit, runGit } from "../../runtime/build/remote/run-git.ts";
import type { ProgressEvent } from "../../runtime/image/types.ts";
import { failureOf } from "../support/failure-of.ts";

const MODIFIED = "Fri, 01 Mar 2024 12:00:00 GMT";
const NEVER = new AbortController().signal;

describe("what builds fetch", () => {
  let server: Server;
  let address: string;
  let directory: string;
  let folders = 0;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "muster-remote-"));
    server = createServer(({ url = "" }, response) => {
      const file = join(directory, "served", url.split("?")[0] ?? "");
      if (url === "/loop") response.writeHead(302, { location: "/loop" }).end();
      else if (url === "/away") response.writeHead(302, { location: "file:///etc/passwd" }).end();
      else if (url === "/to") response.writeHead(301, { location: "/dated.txt" }).end();
      else if (url === "/dated.txt")
        response.writeHead(200, { "last-modified": MODIFIED }).end("content");
      else if (url === "/named/")
        response
          .writeHead(200, { "content-disposition": 'attachment; filename="../n.txt"' })
          .end("");
      else if (url === "/hang") response.writeHead(200).write("some");
      else if (url === "/cut")
        response.writeHead(200, { "content-length": "100" }).write("x", () => response.destroy());
      else if (existsSync(file) && statSync(file).isFile()) response.end(readFileSync(file));
      else response.writeHead(404).end("nothing here\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server?.closeAllConnections();
    server?.close();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  const place = () => join(directory, `place-${++folders}`);
  const fetch = (path: string, signal = NEVER, onProgress = (_: ProgressEvent) => {}) =>
    download(`${address}${path}`, place(), { signal, onProgress });

  it("has the server's name and time, and is its owner's alone", async () => {
    const told: ProgressEvent[] = [];
    const found = await fetch("/dated.txt", NEVER, (event) => told.push(event));
    expect(found).to.deep.equal({ name: "dated.txt", fileName: "dated.txt" });
    const path = join(directory, `place-${folders}`, "dated.txt");
    expect(readFileSync(path, "utf8")).to.equal("content");
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(statSync(path).mtime.toUTCString()).to.equal(MODIFIED);
    expect(told.at(-1)).to.include({ id: "", status: "Downloading", currentBytes: 7 });
    // Named by what was asked for, wherever it is in the end.
    expect(await fetch("/to")).to.include({ name: "to" });
    expect(await fetch("/named/")).to.include({ name: "n.txt" });
    const undated = join(directory, `place-${folders}`, "n.txt");
    expect(statSync(undated).mtimeMs).to.equal(0);
  });

  const failures: readonly (readonly [path: string, code: string, message: string])[] = [
    ["/gone", "NotFound", "/gone with status 404: nothing here"],
    ["/loop", "Unavailable", "stopped after 10 redirects"],
    ["/away", "Unavailable", "redirected to file:, which is not fetched"],
    ["/cut", "Unavailable", 'Get "http://127.0.0.1'],
  ];
  for (const [path, code, message] of failures)
    it(`fails in words that name it: ${path}`, async () => {
      const failure = await failureOf(fetch(path));
      expect(failure.code).to.equal(code);
      expect(failure.message).to.contain(message);
    });

  it("ends when the build does", async () => {
    const leaving = new AbortController();
    const fetching = failureOf(fetch("/hang", leaving.signal));
    await new Promise<void>((resolve) => server.once("request", () => resolve()));
    leaving.abort();
    expect((await fetching).code).to.equal("Cancelled");
  });

  it("is a repository's folder, without git's own and with no way out", async () => {
    const said: (readonly string[])[] = [];
    const fake: RunGit = async (words) => {
      said.push(words);
      if (words.includes("--depth=1"))
        return { exitCode: 128, output: "dumb http transport does not support shallow" };
      if (words.includes("checkout")) {
        const work = words[words.indexOf("-C") + 1] ?? "";
        mkdirSync(join(work, ".git"));
        mkdirSync(join(work, "sub"));
        writeFileSync(join(work, "sub/Dockerfile"), "FROM scratch");
        symlinkSync("/etc", join(work, "out"));
      }
      return { exitCode: 0, output: "" };
    };
    const clone = (folder: string) => {
      const context = place();
      mkdirSync(context);
      const remote = { kind: "git", url: "https://h/r.git", ref: "v1", folder } as const;
      return cloneContext(remote, { context, work: place() }, fake, NEVER).then(() => context);
    };
    expect(readdirSync(await clone("sub"))).to.deep.equal(["Dockerfile"]);
    expect(said.filter((words) => words.includes("fetch"))).to.have.length(2);
    expect(readdirSync(await clone("")).toSorted()).to.deep.equal(["out", "sub"]);
    for (const folder of ["out", "gone", ".git"])
      expect((await failureOf(clone(folder))).message).to.contain("not within git root");
  });

  it("is what git brings from a server of files", async function () {
    if (!existsSync("/usr/bin/git")) this.skip();
    const repository = join(directory, "repository");
    const git = (...words: readonly string[]) =>
      execFileSync("git", ["-C", repository, ...words], {
        env: { PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: "1" },
        stdio: "pipe",
      });
    mkdirSync(repository);
    git("init", "--quiet", "--initial-branch=main");
    mkdirSync(join(repository, "sub"));
    writeFileSync(join(repository, "sub/Dockerfile"), "FROM scratch\n");
    git("add", ".");
    const author = ["-c", "user.name=a", "-c", "user.email=a@b"];
    git(...author, "commit", "--quiet", "-m", "first");
    git("tag", "v1");
    writeFileSync(join(repository, "later"), "");
    git("add", ".");
    git(...author, "commit", "--quiet", "-m", "second");
    mkdirSync(join(directory, "served"), { recursive: true });
    git("clone", "--quiet", "--bare", repository, join(directory, "served/r.git"));
    execFileSync("git", ["-C", join(directory, "served/r.git"), "update-server-info"]);

    const clone = (ref: string, folder: string) => {
      const context = place();
      mkdirSync(context);
      const remote = { kind: "git", url: `${address}/r.git`, ref, folder } as const;
      return cloneContext(remote, { context, work: place() }, runGit, NEVER).then(() => context);
    };
    expect(readdirSync(await clone("", "")).toSorted()).to.deep.equal(["later", "sub"]);
    expect(readdirSync(await clone("v1", ""))).to.deep.equal(["sub"]);
    expect(readdirSync(await clone("main", "sub"))).to.deep.equal(["Dockerfile"]);
    expect((await failureOf(clone("gone", ""))).message).to.contain("error fetching: ");
  });
});
