import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const NAME = "MUSTER_TEST_A";
const MUSTER = resolve(import.meta.dirname, "../../bin/muster");

describe("integration: muster as a program", function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), "muster-process-"));
  const socket = join(folder, "api.sock");
  let server: Server;
  /** The body of the latest request that makes something. */
  let made: { readonly Env?: readonly string[] } | undefined;
  let waits: (() => void) | undefined;

  /** A daemon that makes any container, lets wait for ever, and hangs up on whoever wants logs. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url?.includes("/logs")) request.socket.destroy();
    else if (request.url?.includes("/wait")) waits?.();
    else {
      made = JSON.parse(Buffer.concat(chunks).toString()) as typeof made;
      response.writeHead(201).end('{"Id":"abc","Warnings":[]}');
    }
  }

  before(async () => {
    server = createServer((request, response) => void serve(request, response));
    server.listen(socket);
    await once(server, "listening");
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  function start(...words: string[]) {
    const child = spawn(MUSTER, ["-H", `unix://${socket}`, ...words]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const end = once(child, "close").then(([code]) => ({ code: code as number, stderr }));
    return { child, end };
  }

  it("is ended by Ctrl-C while it waits, as a shell has it", async () => {
    const asked = new Promise<void>((found) => {
      waits = found;
    });
    const { child, end } = start("wait", "web");
    await asked;
    child.kill("SIGINT");
    expect(await end).to.deep.equal({ code: 130, stderr: "" });
  });

  it("reads its own --env-file: Node, whose flag that is too, does not", async () => {
    const file = join(folder, "variables");
    writeFileSync(
      file,
      "MUSTER_TEST_A=1\n# none\nMUSTER_HOST=unix:///elsewhere\nMUSTER_SURELY_UNSET\n",
    );
    const { code, stderr } = await start("create", "--env-file", file, "-e", NAME, "web").end;
    expect([code, stderr]).to.deep.equal([0, ""]);
    expect(made?.Env).to.deep.equal([...[`${NAME}=1`, "MUSTER_HOST=unix:///elsewhere", NAME]]);
    const missing = await start("create", "--env-file", join(folder, "none"), "web").end;
    expect(missing.code).to.equal(125);
    expect(missing.stderr).to.contain("muster: cannot read");
  });

  it("does as the docker command line's settings say, and warns of a file that is broken", async () => {
    const settings = join(folder, "config.json");
    const config = { proxies: { default: { httpProxy: "http://p" } } };
    writeFileSync(settings, JSON.stringify(config));
    const own = ["--config", folder];
    expect((await start(...own, "create", "-e", "http_proxy=", "web").end).code).to.equal(0);
    expect(made?.Env).to.deep.equal(["http_proxy=", "HTTP_PROXY=http://p"]);
    writeFileSync(settings, "{");
    const { code, stderr } = await start(...own, "create", "web").end;
    expect([code, made?.Env]).to.deep.equal([0, undefined]);
    expect(stderr).to.match(/^WARNING: cannot read \S+config.json: /);
  });

  it("writes the id of what it makes to a file that must be new", async () => {
    const file = join(folder, "id");
    expect((await start("create", "--cidfile", file, "web").end).code).to.equal(0);
    const again = await start("create", "--cidfile", file, "web").end;
    expect([again.code, again.stderr]).to.deep.equal([
      1,
      `container ID file found, make sure the other container isn't running or delete ${file}\n`,
    ]);
  });

  it("says in a line that the daemon went", async () => {
    const { code, stderr } = await start("logs", "-f", "web").end;
    expect(code).to.equal(1);
    expect(stderr).to.match(/^cannot connect to the Muster daemon at \S+ \(ECONNRESET\): is .*\n$/);
  });
});
