import { expect } from "chai";
import Docker from "dockerode";
import { DOCKER_CLIS } from "../support/docker-cli.ts";
import { ClientProcess } from "../support/engine/client-process.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { Terminal } from "../support/engine/terminal.ts";
import { eventually } from "../support/eventually.ts";

const LIVE = ["--network", "none", "busybox"];
const WAIT_MS = 30_000;
const BYTES = 3_000_000;

/** Docker's JSON of an exec, as far as it is looked at. */
interface ExecJson {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
}

describe("e2e: streams of containers", function () {
  this.timeout(180_000);
  let host: EngineHost;
  let containers: Docker;

  before(async () => {
    host = await startEngineHost("e2estreams");
    containers = new Docker({ socketPath: host.node.socket });
  });
  after(async () => host?.close());

  const address = () => ["-H", `unix://${host.node.socket}`];
  const client = (...args: string[]) => new ClientProcess(host.cli, [...address(), ...args]);
  const terminal = (...args: string[]) =>
    new Terminal([host.cli, ...address(), ...args].map((word) => `'${word}'`).join(" "));
  const isRunning = async (name: string) =>
    (await host.mustDocker("inspect", "-f", "{{.State.Running}}", name)) === "true";
  const isGone = (name: string) =>
    eventually(
      `${name} is gone`,
      async () => (await host.docker("inspect", "--type", "container", name)).code !== 0,
      WAIT_MS,
    );

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
            (await actions()).startsWith("create\nattach\nstart") &&
            /detach$/.test(await actions()),
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

  for (const { name, find } of DOCKER_CLIS)
    describe(`docker exec, ${name}`, () => {
      before(async () => {
        host.cli = await find();
        await host.mustDocker("run", "-d", "--name", "busy", "-e", "A=1", ...LIVE, "sleep", "1000");
      });
      after(async () => host?.docker("rm", "-f", "busy"));

      it("shows both outputs, and gives on the exit code", async () => {
        expect(
          await host.docker("exec", "busy", "sh", "-c", "echo out; echo err >&2; exit 42"),
        ).to.deep.include({ code: 42, stdout: "out\n", stderr: "err\n" });
        const long = await host.docker("exec", "busy", "seq", "-w", "400000");
        expect([long.code, long.stdout.length]).to.deep.equal([0, 7 * 400_000]);
      });

      it("has Docker's codes and words for what could not start", async () => {
        const nosuch = await host.docker("exec", "busy", "nosuch");
        expect(nosuch.code).to.equal(127);
        expect(nosuch.stdout + nosuch.stderr).to.match(
          /OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in \$PATH: unknown/,
        );
        expect((await host.docker("exec", "busy", "/etc")).code).to.equal(126);
        expect((await host.docker("exec", "-u", "nobodyknown", "busy", "true")).code).to.equal(126);
      });

      it("runs as who, where and with what it is told", async () => {
        const script = "echo $(id -u):$(id -g) $PWD $A $B $HOME; grep CapEff /proc/self/status";
        expect(await host.mustDocker("exec", "busy", "sh", "-c", script)).to.match(
          /^0:0 \/ 1 \/root\nCapEff:\s00000000a80425fb$/,
        );
        const asked = ["-u", "1000:7", "-w", "/tmp", "-e", "B=2", "busy"];
        expect(await host.mustDocker("exec", ...asked, "sh", "-c", script)).to.match(
          /^1000:7 \/tmp 1 2 \/\nCapEff:\s0000000000000000$/,
        );
        const privileged = await host.mustDocker(
          "exec",
          "--privileged",
          "busy",
          "sh",
          "-c",
          script,
        );
        expect(privileged).to.match(/CapEff:\s[0-9a-f]*ff$/);
      });

      it("sends input, and the end of it", async () => {
        const exec = client("exec", "-i", "busy", "wc", "-c");
        exec.write("x".repeat(BYTES));
        exec.endInput();
        expect([await exec.end(), exec.stdout.trim()]).to.deep.equal([0, String(BYTES)]);
      });

      it("works on a terminal, whose window follows", async () => {
        const exec = terminal("exec", "-it", "busy", "sh");
        try {
          exec.type("test -t 0 && echo it$((1)) is\n");
          await exec.shows(/it1 is/);
          await exec.resize(41, 123);
          await eventually(
            "the window has followed",
            async () => {
              exec.type("stty size\n");
              return /41 123/.test(exec.text);
            },
            WAIT_MS,
            200,
          );
          exec.type("exit 6\n");
          expect(await exec.end()).to.equal(6);
        } finally {
          exec.close();
        }
      });

      it("is left by its keys", async () => {
        const exec = terminal("exec", "-it", "--detach-keys", "a,b", "busy", "sleep", "999");
        try {
          await eventually("it runs", () => runs("sleep 999"), WAIT_MS, 100);
          exec.type("ab");
          await exec.end();
        } finally {
          exec.close();
        }
        expect(await runs("sleep 999")).to.equal(true);
      });

      it("runs behind one's back", async () => {
        await host.mustDocker("exec", "-d", "busy", "sh", "-c", "echo done > /tmp/behind");
        await eventually(
          "it has run",
          async () => (await host.docker("exec", "busy", "cat", "/tmp/behind")).stdout === "done\n",
          WAIT_MS,
          100,
        );
      });
    });

  const runs = async (command: string) =>
    (await host.mustDocker("top", "busy", "-eo", "pid,args")).includes(command);

  it("execs are inspected, told of in the journal, and refused in Docker's words", async () => {
    const id = await host.mustDocker("run", "-d", "--name", "home", ...LIVE, "sleep", "1000");
    const post = async (path: string, body: unknown = {}) => {
      const { status, json } = await host.ask(`POST ${path}`, body);
      return { status, message: (json as { message?: string } | undefined)?.message, json };
    };
    expect(await post("/containers/home/exec", {})).to.deep.include({
      status: 400,
      message: "No exec command specified",
    });
    const made = await post("/containers/home/exec", { Cmd: ["sleep", "500"] });
    expect(made.status).to.equal(201);
    const { Id: exec } = made.json as { Id: string };
    const look = async () => (await host.ask(`GET /exec/${exec}/json`)).json as ExecJson;
    expect(await look()).to.deep.include({ ID: exec, Running: false, ExitCode: null, Pid: 0 });
    expect((await post(`/exec/${exec}/start`, { Detach: true })).status).to.equal(200);
    const running = await look();
    expect(running).to.deep.include({ Running: true, ExitCode: null, ContainerID: id });
    expect(running.Pid).to.be.greaterThan(0);
    expect(await host.mustDocker("inspect", "-f", "{{.ExecIDs}}", "home")).to.equal(`[${exec}]`);
    expect(await post(`/exec/${exec}/start`, { Detach: true })).to.deep.include({
      status: 409,
      message: `Error: Exec command ${exec} is already running`,
    });
    process.kill(running.Pid, "SIGTERM");
    await eventually("it has ended", async () => !(await look()).Running, WAIT_MS);
    expect((await look()).ExitCode).to.equal(143);
    expect(await post(`/exec/${exec}/start`, { Detach: true })).to.deep.include({
      status: 409,
      message: `Error: Exec command ${exec} has already run`,
    });
    const events = await host.mustDocker(
      ...["events", "--since", "1", "--until", String(Date.now() / 1000 + 0.1)],
      ...["--filter", "container=home", "--filter", "event=exec_create"],
      ...["--filter", "event=exec_start", "--filter", "event=exec_die"],
      ...["--format", "{{.Action}} {{.Actor.Attributes.execID}} {{.Actor.Attributes.exitCode}}"],
    );
    expect(events.split("\n")).to.deep.equal([
      `exec_create: sleep 500 ${exec} <no value>`,
      `exec_start: sleep 500 ${exec} <no value>`,
      `exec_die ${exec} 143`,
    ]);
    await host.mustDocker("pause", "home");
    expect(await post("/containers/home/exec", { Cmd: ["true"] })).to.deep.include({
      status: 409,
      message: `Container ${id} is paused, unpause the container before exec`,
    });
    await host.mustDocker("unpause", "home");
    await host.mustDocker("kill", "home");
    expect(await post("/containers/home/exec", { Cmd: ["true"] })).to.deep.include({
      status: 409,
      message: `container ${id} is not running`,
    });
    expect((await post("/containers/home/resize?h=1&w=1")).status).to.equal(409);
    expect((await post("/containers/home/resize?h=1")).status).to.equal(400);
    await host.mustDocker("rm", "home");
    expect(await post(`/exec/${exec}/start`)).to.deep.include({
      status: 404,
      message: `No such exec instance: ${exec}`,
    });
  });

  it("execs end with their container", async () => {
    await host.mustDocker("run", "-d", "--name", "mortal", ...LIVE, "sleep", "1000");
    const exec = client("exec", "mortal", "sh", "-c", "echo up; sleep 1000");
    await exec.writes(/up/);
    await host.mustDocker("rm", "-f", "mortal");
    expect(await exec.end()).to.be.oneOf([1, 137]);
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

  it("is refused by Docker's words where there is nothing to attach to", async () => {
    await host.mustDocker("create", "--name", "still", ...LIVE, "true");
    const attach = async (path: string) => {
      const { status, json } = await host.ask(`POST /containers/${path}`);
      return `${status} ${(json as { message: string }).message}`;
    };
    expect(await attach("nobody/attach?stream=1")).to.equal("404 No such container: nobody");
    expect(await attach("still/attach?stream=1&detachKeys=xyz")).to.equal(
      "400 Invalid detach keys (xyz) provided: Unknown character: 'xyz'",
    );
    await host.mustDocker("rm", "still");
  });
});
