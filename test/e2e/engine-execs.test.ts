import { expect } from "chai";
import { DOCKER_CLIS } from "../support/docker-cli.ts";
import { ClientProcess } from "../support/engine/client-process.ts";
import { dockerClients } from "../support/engine/docker-clients.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { Terminal } from "../support/engine/terminal.ts";
import { eventually } from "../support/eventually.ts";

const LIVE = ["--network", "none", "busybox"];
const WAIT_MS = 30_000;
const BYTES = 3_000_000;
const NO_REGISTRY = "127.0.0.1:1";

/** Docker's JSON of an exec, as far as it is looked at. */
interface ExecJson {
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly Pid: number;
}

describe("e2e: commands in containers, and muster's own run", function () {
  this.timeout(180_000);
  let host: EngineHost;

  before(async () => {
    host = await startEngineHost("e2eexecs");
  });
  after(async () => host?.close());

  const { address, client, terminal, isRunning, isGone } = dockerClients(() => host);

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

  describe("muster's own run, exec, attach and start", () => {
    const command = () => ["bin/muster", ...address()];
    const muster = (...args: string[]) => {
      const [path = "", ...own] = command();
      return new ClientProcess(path, [...own, ...args]);
    };
    const onTerminal = (...args: string[]) =>
      new Terminal([...command(), ...args].map((word) => `'${word}'`).join(" "));

    it("stay with a container, with its outputs, input and codes", async () => {
      const script = "cat; echo err >&2; exit 7";
      const run = muster(
        "run",
        "-i",
        "--rm",
        "--name",
        "own",
        "-e",
        "A=1",
        ...LIVE,
        "sh",
        "-c",
        script,
      );
      run.write("x".repeat(BYTES));
      run.endInput();
      expect([await run.end(), run.stdout.length, run.stderr]).to.deep.equal([7, BYTES, "err\n"]);
      await isGone("own");
      for (const [words, code] of [
        [["nosuch"], 127],
        [["/etc"], 126],
      ] as const) {
        const failed = muster("run", "--rm", ...LIVE, ...words);
        expect(await failed.end(), failed.stderr).to.equal(code);
      }
      expect(await muster("run", "--cap-add", "FLY", ...LIVE, "true").end()).to.equal(125);
    });

    it("leave one that runs on, come back, and run commands in it", async () => {
      const run = onTerminal("run", "-it", "--name", "own", ...LIVE, "cat");
      try {
        run.type("one\n");
        await run.shows(/one\r\none\r\n/);
        run.type("\x10\x11");
        expect(await run.end()).to.equal(0);
      } finally {
        run.close();
      }
      expect(await isRunning("own")).to.equal(true);
      const exec = onTerminal(
        "exec",
        "-it",
        "-w",
        "/tmp",
        "own",
        "sh",
        "-c",
        "pwd; stty size; exit 6",
      );
      try {
        await exec.shows(/\/tmp\r\n30 90/);
        expect(await exec.end()).to.equal(6);
      } finally {
        exec.close();
      }
      const again = onTerminal("attach", "--detach-keys", "a,b", "own");
      try {
        again.type("two\n");
        await again.shows(/two\r\ntwo\r\n/);
        again.type("ab");
        await again.shows(/read escape sequence/);
        expect(await again.end()).to.equal(1);
      } finally {
        again.close();
      }
      await host.mustDocker("rm", "-f", "own");
    });

    it("ask for a name, a password and a yes, on a terminal", async () => {
      const login = onTerminal("login", NO_REGISTRY);
      try {
        await login.shows(/Username: /);
        login.type("me\n");
        await login.shows(/Password: /);
        login.type("secret\n");
        await login.shows(/connection refused/);
        expect(await login.end()).to.equal(1);
        expect(login.text).to.not.contain("secret");
      } finally {
        login.close();
      }
      const prune = onTerminal("container", "prune");
      try {
        await prune.shows(/Are you sure you want to continue\? \[y\/N\] /);
        prune.type("n\n");
        expect(await prune.end()).to.equal(0);
      } finally {
        prune.close();
      }
    });

    it("make one, and start it to stay with it", async () => {
      const made = muster("create", "-i", "--name", "own", ...LIVE, "cat");
      expect(await made.end(), made.stderr).to.equal(0);
      expect(made.stdout).to.match(/^[0-9a-f]{64}\n$/);
      const start = muster("start", "-ai", "own");
      start.write("words");
      start.endInput();
      expect([await start.end(), start.stdout]).to.deep.equal([0, "words"]);
      const exec = muster("exec", "own", "true");
      expect(await exec.end()).to.equal(1);
      expect(exec.stderr).to.contain("is not running");
      await host.mustDocker("rm", "own");
      const behind = muster("run", "-d", "--name", "own", ...LIVE, "sh", "-c", "exit 4");
      expect(await behind.end()).to.equal(0);
      expect(await host.mustDocker("wait", behind.stdout.trim())).to.equal("4");
      await host.mustDocker("rm", "own");
    });
  });
});
