import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { expect } from "chai";
import Docker from "dockerode";
import { WebSocket } from "ws";
import { DOCKER_CLIS } from "../support/docker-cli.ts";
import { dockerClients } from "../support/engine/docker-clients.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";

const LIVE = ["--network", "none", "busybox"];
const WAIT_MS = 30_000;
const BYTES = 3_000_000;
const MEBIBYTE = 1024 * 1024;

describe("e2e: streams of containers", function () {
  this.timeout(180_000);
  let host: EngineHost;
  let containers: Docker;

  before(async () => {
    host = await startEngineHost("e2estreams");
    containers = new Docker({ socketPath: host.node.socket });
  });
  after(async () => host?.close());

  const { client, terminal, isRunning, isGone } = dockerClients(() => host);

  for (const { name, find } of DOCKER_CLIS)
    describe(`docker run in the foreground, ${name}`, () => {
      before(async () => {
        host.cli = await find();
      });

      it("shows both outputs whole, and gives on the exit code", async () => {
        const runs: { script: string; code: number; stdout: string; stderr: string }[] = [
          { script: "echo hi", code: 0, stdout: "hi\n", stderr: "" },
          { script: "echo out; echo err >&2; exit 42", code: 42, stdout: "out\n", stderr: "err\n" },
          { script: "exit 255", code: 255, stdout: "", stderr: "" },
        ];
        for (const { script, ...expected } of runs)
          expect(await host.docker("run", "--rm", ...LIVE, "sh", "-c", script)).to.deep.include(
            expected,
          );
        const long = await host.docker("run", "--rm", ...LIVE, "seq", "-w", "400000");
        expect([long.code, long.stdout.length]).to.deep.equal([0, 7 * 400_000]);
      });

      it("has Docker's codes for what could not start", async () => {
        const codes: [string[], number][] = [
          [[...LIVE, "nosuch"], 127],
          [[...LIVE, "/etc"], 126],
          [["--cap-add", "FLY", ...LIVE, "true"], 125],
        ];
        for (const [args, expected] of codes) {
          const { code, stderr } = await host.docker("run", "--rm", ...args);
          expect(code, stderr).to.equal(expected);
        }
      });

      it("sends input, and the end of it", async () => {
        const run = client("run", "-i", "--rm", "--name", "counts", ...LIVE, "wc", "-c");
        run.write("x".repeat(BYTES));
        run.endInput();
        expect(await run.end()).to.equal(0);
        expect(run.stdout.trim()).to.equal(String(BYTES));
        await isGone("counts");
      });

      it("passes signals on", async () => {
        const script = "trap 'echo caught; exit 9' USR1; echo ready; while :; do sleep 0.1; done";
        const run = client("run", "--rm", "--name", "signalled", ...LIVE, "sh", "-c", script);
        await run.writes(/ready/);
        run.signal("SIGUSR1");
        expect([await run.end(), run.stdout]).to.deep.equal([9, "ready\ncaught\n"]);
      });

      it("works on a terminal", async () => {
        const script = "stty size; read line; echo got $line; exit 5";
        const run = terminal("run", "-it", "--rm", "--name", "tty", ...LIVE, "sh", "-c", script);
        try {
          await run.shows(/30 90|0 0|standard input/);
          await run.resize(44, 111);
          await eventually(
            "the window has followed",
            async () => {
              const { stdout } = await host.docker(
                "exec",
                "-t",
                "tty",
                "stty",
                "-F",
                "/dev/console",
                "size",
              );
              return stdout.trim() === "44 111";
            },
            WAIT_MS,
            200,
          );
          run.type("words\n");
          await run.shows(/got words/);
          expect(await run.end()).to.equal(5);
        } finally {
          run.close();
        }
      });

      it("is left by its keys, and the container runs on", async () => {
        const since = String(Math.floor(Date.now() / 1000));
        const run = terminal("run", "-it", "--name", "left", ...LIVE, "cat");
        try {
          run.type("one\n");
          await run.shows(/one\r\none\r\n/);
          run.type("\x10\x11");
          await run.end();
        } finally {
          run.close();
        }
        expect(await isRunning("left")).to.equal(true);
        const actions = async () => {
          const until = String(Date.now() / 1000);
          const filter = ["--filter", "container=left", "--format", "{{.Action}}"];
          return host.mustDocker("events", "--since", since, "--until", until, ...filter);
        };
        await eventually(
          "the journal has it all",
          async () =>
            // Its client knows the keys and only goes: not told, as by dockerd.
            /^create\nattach\nstart\n(resize\n?)+$/.test(`${await actions()}\n`),
          WAIT_MS,
          100,
        );
        const again = terminal("attach", "--detach-keys", "a,b", "left");
        try {
          again.type("two\n");
          await again.shows(/two\r\ntwo\r\n/);
          again.type("ab");
          await again.end();
        } finally {
          again.close();
        }
        expect(await isRunning("left")).to.equal(true);
        await host.mustDocker("rm", "-f", "left");
      });
    });

  it("docker start -ai runs one that has ended again, with input", async () => {
    await host.mustDocker("create", "-i", "--name", "again", ...LIVE, "cat");
    for (const word of ["one", "two"]) {
      const start = client("start", "-ai", "again");
      start.write(`${word}\n`);
      start.endInput();
      expect([await start.end(), start.stdout]).to.deep.equal([0, `${word}\n`]);
    }
    await host.mustDocker("rm", "again");
  });

  it("several are attached at once, and after kill -9 of the daemon others are", async () => {
    await host.mustDocker("run", "-di", "--name", "shared", ...LIVE, "cat");
    const first = client("attach", "shared");
    const second = client("attach", "shared");
    await eventually(
      "both are attached",
      async () => {
        first.write(".");
        first.write("\n");
        return /\./.test(first.stdout) && /\./.test(second.stdout);
      },
      WAIT_MS,
      100,
    );
    second.write("from the second\n");
    await first.writes(/from the second/);
    await host.node.kill("SIGKILL");
    await first.end();
    await second.end();
    await host.node.start();
    expect(await isRunning("shared")).to.equal(true);
    const third = client("attach", "shared");
    await eventually(
      "the new daemon attaches",
      async () => {
        third.write("after\n");
        return third.stdout.includes("after\n");
      },
      WAIT_MS,
      100,
    );
    await host.mustDocker("rm", "-f", "shared");
    await third.end();
  });

  it("the input ends when its first client vanishes, where it is to", async () => {
    const run = client("run", "-i", "--name", "vanishing", ...LIVE, "sh", "-c", "cat; exit 3");
    run.write("here\n");
    await run.writes(/here/);
    run.signal("SIGKILL");
    await run.end();
    expect(await host.mustDocker("wait", "vanishing")).to.equal("3");
    await host.mustDocker("rm", "vanishing");
  });

  it("without an upgrade output comes as the body of 200", async () => {
    const container = await containers.createContainer({
      Image: "busybox",
      Cmd: ["sh", "-c", "echo out; echo err >&2"],
      HostConfig: { NetworkMode: "none" },
    });
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve) => stream.once("end", resolve));
    await container.start();
    await ended;
    await container.wait();
    const text = Buffer.concat(chunks).toString("latin1");
    expect(text)
      .to.contain("\x01\0\0\0\0\0\0\x04out\n")
      .and.to.contain("\x02\0\0\0\0\0\0\x04err\n");
    await container.remove();
  });

  it("by WebSocket output comes unframed, with what was logged, and input goes in", async () => {
    const script = "echo before; echo wrong >&2; read word; echo got $word";
    await host.mustDocker("run", "-di", "--name", "web", ...LIVE, "sh", "-c", script);
    const open = (query: string) => {
      const socket = new WebSocket(
        `ws+unix:${host.node.socket}:/containers/web/attach/ws?${query}`,
      );
      const seen = { socket, text: "", binary: true, code: 0 };
      socket.on("message", (data, isBinary) => {
        seen.text += data.toString();
        seen.binary &&= isBinary;
      });
      socket.on("close", (code) => {
        seen.code = code;
      });
      return seen;
    };
    const all = open("logs=1&stream=1&stdin=1&stdout=1&stderr=1");
    const errors = open("logs=1&stream=0&stderr=1");
    await eventually(
      "both have what was logged",
      () => /before\n/.test(all.text) && /wrong\n/.test(all.text) && errors.code === 1000,
      WAIT_MS,
    );
    expect(errors.text).to.equal("wrong\n");
    all.socket.send("word\n");
    await eventually("it ends with the container", () => all.code !== 0, WAIT_MS);
    expect(all.text).to.match(/got word\n$/);
    expect(all).to.deep.include({ binary: true, code: 1000 });
    await host.mustDocker("rm", "web");
  });

  it("is refused by Docker's words where there is nothing to attach to", async () => {
    await host.mustDocker("create", "-t", "--name", "still", ...LIVE, "true");
    const attach = async (path: string) => {
      const { status, json } = await host.ask(`POST /containers/${path}`);
      return `${status} ${(json as { message: string }).message}`;
    };
    expect(await attach("nobody/attach?stream=1")).to.equal("404 No such container: nobody");
    expect(await attach("still/attach?stream=1&detachKeys=xyz")).to.equal(
      "400 Invalid detach keys (xyz) provided",
    );
    // A client that asks for an upgrade takes what it is answered for output.
    const { stdout } = await host.docker("start", "-a", "--detach-keys", "xyz", "still");
    expect(stdout).to.equal("Invalid detach keys (xyz) provided\r\n");
    await host.mustDocker("rm", "-f", "still");
  });

  it("a client that does not read holds the container back, and loses nothing", async () => {
    const total = 50_000_000;
    const script = `read word; exec head -c ${total} /dev/zero`;
    const quiet = ["--log-driver", "none", "--name", "loud"];
    await host.mustDocker("run", "-di", ...quiet, ...LIVE, "sh", "-c", script);
    const pid = await host.mustDocker("inspect", "-f", "{{.State.Pid}}", "loud");
    const socket = connect(host.node.socket);
    socket.pause();
    socket.write(
      "POST /v1.41/containers/loud/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\n" +
        "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\ngo\n",
    );
    // What the process has read it is about to write: when that stands still, everybody between it and the client is full.
    const taken = () => {
      const [, bytes] = /rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, "utf8")) ?? [];
      return Number(bytes);
    };
    let before = 0;
    await eventually(
      "it waits",
      () => {
        const now = taken();
        const stands = now === before && now > MEBIBYTE / 2;
        before = now;
        return stands;
      },
      WAIT_MS,
      300,
    );
    expect(taken()).to.be.lessThan(8 * MEBIBYTE);
    let received = 0;
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    socket.resume();
    await eventually("all has come", () => received > total, WAIT_MS);
    expect(await host.mustDocker("wait", "loud")).to.equal("0");
    socket.destroy();
    await host.mustDocker("rm", "loud");
  });
});
