import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { DOCKER_CLIS } from "../support/docker-cli.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { eventually } from "../support/eventually.ts";
import { processesNaming } from "../support/processes.ts";

const LIVE = ["--network", "none", "busybox"];
const DONE_MS = 20_000;

for (const { name, find } of DOCKER_CLIS) describeContainers(name, find);

function describeContainers(cliName: string, findCli: () => Promise<string>): void {
  describe(`e2e: containers by the stock docker command line, ${cliName}`, function () {
    this.timeout(120_000);
    let host: EngineHost;

    before(async () => {
      host = await startEngineHost("e2eengine");
      host.cli = await findCli();
    });
    after(async () => host?.close());

    const docker = (...args: string[]) => host.mustDocker(...args);
    const inspect = (format: string, name: string) => docker("inspect", "-f", format, name);

    it("are created, started, listed, stopped, started again and removed", async () => {
      const id = await docker("create", "--name", "life", ...LIVE, "sleep", "1000");
      expect(id).to.match(/^[0-9a-f]{64}$/);
      expect(await docker("ps", "-a", "--format", "{{.Names}} {{.Status}}")).to.equal(
        "life Created",
      );
      expect(await docker("ps", "-q")).to.equal("");
      expect(await docker("start", "life")).to.equal("life");
      expect(
        await docker("ps", "--format", "{{.ID}} {{.Image}} {{.Command}} {{.Status}}"),
      ).to.match(/^[0-9a-f]{12} busybox "sleep 1000" Up (Less than a|\d+) seconds?$/);
      expect(await docker("start", "life")).to.equal("life");
      expect(await docker("stop", "-t", "1", id.slice(0, 12))).to.equal(id.slice(0, 12));
      expect(await inspect("{{.State.Status}} {{.State.ExitCode}}", "life")).to.match(
        /^exited (137|143)$/,
      );
      expect(await docker("stop", "/life")).to.equal("/life");
      await docker("restart", "-t", "0", "life");
      expect(await inspect("{{.State.Running}}", "life")).to.equal("true");
      expect(await host.failDocker("rm", "life")).to.contain(
        'cannot remove container "/life": container is running: stop the container before removing or force remove',
      );
      expect(await docker("rm", "-f", "life")).to.equal("life");
      expect(await host.failDocker("inspect", "--type", "container", "life")).to.contain(
        "No such container: life",
      );
    });

    it("tell their exit code to who waits, and by Docker's codes what could not start", async () => {
      await docker("create", "--name", "three", ...LIVE, "sh", "-c", "exit 3");
      await docker("start", "three");
      expect(await docker("wait", "three")).to.equal("3");
      expect(await docker("ps", "-a", "--filter", "exited=3", "--format", "{{.Names}}")).to.equal(
        "three",
      );
      await docker("create", "--name", "nosuch", ...LIVE, "/no/such");
      expect(await host.failDocker("start", "nosuch")).to.match(
        /OCI runtime create failed: .*no such file or directory/,
      );
      expect(await inspect("{{.State.ExitCode}} {{.State.Status}}", "nosuch")).to.equal(
        "127 created",
      );
      await docker("create", "--name", "noexec", ...LIVE, "/etc/passwd");
      expect(await host.failDocker("start", "noexec")).to.contain("permission denied");
      expect(await inspect("{{.State.ExitCode}}", "noexec")).to.equal("126");
      await docker("rm", "three", "nosuch", "noexec");
    });

    it("give docker run -d the exit codes of Docker", async () => {
      const codes: [string[], number][] = [
        [["true"], 0],
        [["/no/such"], 127],
        [["nosuch"], 127],
        [["/etc"], 126],
        [["/etc/passwd"], 126],
      ];
      for (const [command, expected] of codes) {
        const { code, stderr } = await host.docker("run", "-d", "--rm", ...LIVE, ...command);
        expect(code, `${command.join(" ")}: ${stderr}`).to.equal(expected);
      }
      const refused = await host.docker("run", "-d", "--cap-add", "FLY", ...LIVE, "true");
      expect(refused.code).to.equal(125);
      await eventually("nothing is left", async () => (await docker("ps", "-aq")) === "", DONE_MS);
    });

    it("write to a terminal as it is", async () => {
      await docker(
        "run",
        "-d",
        "-t",
        "--name",
        "tty",
        ...LIVE,
        "sh",
        "-c",
        "test -t 1 && echo yes",
      );
      await docker("wait", "tty");
      expect((await host.docker("logs", "tty")).stdout).to.equal("yes\r\n");
      await docker("rm", "tty");
    });

    it("say that they were killed for want of memory", async () => {
      const hungry = "x=a; while true; do x=$x$x; done";
      await docker("run", "-d", "-m", "16m", "--name", "hungry", ...LIVE, "sh", "-c", hungry);
      expect(await docker("wait", "hungry")).to.equal("137");
      expect(await inspect("{{.State.OOMKilled}}", "hungry")).to.equal("true");
      await docker("rm", "hungry");
    });

    it("show their logs: all, the last lines, with times, while they are written", async () => {
      const script = "for i in 1 2 3; do echo out $i; done; echo err >&2; sleep 0.5; echo last";
      await docker("create", "--name", "talker", ...LIVE, "sh", "-c", script);
      await docker("start", "talker");
      const followed = await host.docker("logs", "-f", "talker");
      expect(followed.stdout).to.equal("out 1\nout 2\nout 3\nlast\n");
      expect(followed.stderr).to.equal("err\n");
      expect(await docker("logs", "--tail", "1", "talker")).to.equal("last");
      expect((await docker("logs", "--tail", "-1", "talker")).split("\n")).to.have.length(4);
      expect(await docker("logs", "-t", "--tail", "1", "talker")).to.match(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z last$/,
      );
      expect(await docker("logs", "--since", "1h", "--until", "30m", "talker")).to.equal("");
      await docker("rm", "talker");
    });

    it("are named at random, renamed, and keep names apart", async () => {
      const id = await docker("create", ...LIVE, "true");
      expect(await inspect("{{.Name}}", id)).to.match(/^\/[a-z]+_[a-z]+\d*$/);
      await docker("rename", id, "named");
      expect(await inspect("{{.Name}}", "named")).to.equal("/named");
      expect(await host.failDocker("create", "--name", "named", ...LIVE)).to.contain(
        `Conflict. The container name "/named" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
      expect(await host.failDocker("rename", "named", "named")).to.contain("same name");
      expect(await host.failDocker("create", "--name", "b@d", ...LIVE)).to.contain(
        "Invalid container name (b@d), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed",
      );
      await docker("rm", "named");
    });

    it("are paused, and stopped while they are", async () => {
      await docker("create", "--name", "frozen", ...LIVE, "sleep", "1000");
      await docker("start", "frozen");
      await docker("pause", "frozen");
      expect(await docker("ps", "--filter", "status=paused", "--format", "{{.Status}}")).to.match(
        /\(Paused\)$/,
      );
      expect(await host.failDocker("pause", "frozen")).to.contain("is already paused");
      await docker("unpause", "frozen");
      expect(await host.failDocker("unpause", "frozen")).to.contain("is not paused");
      await docker("pause", "frozen");
      await docker("stop", "-t", "0", "frozen");
      expect(await inspect("{{.State.Status}} {{.State.Paused}}", "frozen")).to.equal(
        "exited false",
      );
      expect(await host.failDocker("kill", "frozen")).to.match(/is not running/);
      await docker("rm", "frozen");
    });

    it("are started again by their policy, and not once somebody stopped them", async () => {
      await docker("create", "--name", "again", "--restart", "on-failure:2", ...LIVE, "false");
      await docker("start", "again");
      await eventually(
        "it gave up",
        async () => (await inspect("{{.RestartCount}} {{.State.Status}}", "again")) === "2 exited",
        DONE_MS,
      );
      await docker("update", "--restart", "always", "again");
      await docker("start", "again");
      await eventually(
        "it is tried more often",
        async () => Number(await inspect("{{.RestartCount}}", "again")) > 2,
        DONE_MS,
      );
      await docker("stop", "again");
      expect(await inspect("{{.State.Status}}", "again")).to.equal("exited");
      await docker("rm", "again");
    });

    it("with --rm go when they end", async () => {
      await docker("create", "--rm", "--name", "brief", ...LIVE, "sleep", "0.2");
      await docker("start", "brief");
      await eventually(
        "it is gone",
        async () => (await docker("ps", "-aq", "--filter", "name=brief")) === "",
        DONE_MS,
      );
    });

    it("live through kill -9 of the daemon, and end up as they should without it", async () => {
      const flags = join(host.cluster.folder, "flags");
      mkdirSync(flags);
      const script = ": e2e-ender; while [ ! -e /flags/end ]; do sleep 0.1; done; exit 4";
      const make = async (name: string, ...options: string[]) => {
        const mount = ["-v", `${flags}:/flags`, ...options];
        await docker("create", "--name", name, ...mount, ...LIVE, "sh", "-c", script);
        await docker("start", name);
      };
      await docker("create", "--name", "steady", ...LIVE, "sleep", "1000");
      await docker("start", "steady");
      await make("ender");
      await make("brief", "--rm");
      await make("failing", "--restart", "on-failure");
      await make("always", "--restart", "always");
      await make("unless", "--restart", "unless-stopped");
      const stopped = ["always-stopped", "unless-stopped"];
      await make("always-stopped", "--restart", "always");
      await make("unless-stopped", "--restart", "unless-stopped");
      await docker("stop", "-t", "0", ...stopped);
      const pid = await inspect("{{.State.Pid}}", "steady");

      await host.node.kill("SIGKILL");
      writeFileSync(join(flags, "end"), "");
      await eventually("they end", () => processesNaming(": e2e-ender;").length === 0, DONE_MS);
      rmSync(join(flags, "end"));
      await host.node.start();

      expect(await inspect("{{.State.Pid}}", "steady")).to.equal(pid);
      expect(await inspect("{{.State.Status}} {{.State.ExitCode}}", "ender")).to.equal("exited 4");
      const running = async () =>
        (await docker("ps", "--format", "{{.Names}}", "--filter", "status=running"))
          .split("\n")
          .sort()
          .join(" ");
      await eventually(
        "those whose policy says so run again",
        async () => (await running()) === "always always-stopped failing steady unless",
        DONE_MS,
      );
      const all = async () => (await docker("ps", "-a", "--format", "{{.Names}}")).split("\n");
      await eventually("brief is gone", async () => !(await all()).includes("brief"), DONE_MS);
      const names = await all();
      expect(names).to.include("unless-stopped");
      await docker("rm", "-f", ...names);
    });
  });
}
