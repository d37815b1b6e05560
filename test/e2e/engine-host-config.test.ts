import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { type Certificates, makeCertificates, type Pair } from "../support/engine/certificates.ts";
import { type EngineHost, startEngineHost } from "../support/engine/engine-host.ts";
import { RUN_CASES } from "../support/engine/run-cases.ts";
import { eventually } from "../support/eventually.ts";
import { FakeJournal, JOURNAL_SOCKET, type JournalEntry } from "../support/fake-journal.ts";

const run = promisify(execFile);

/** Of the group some containers ask for. */
const PARENT = "muster-e2e-parent";

async function findGroups(id: string): Promise<string[]> {
  const { stdout } = await run("find", ["/sys/fs/cgroup", "-type", "d", "-name", id]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** What is refused, and in which words. */
const REFUSED: readonly { readonly flags: readonly string[]; readonly says: string | RegExp }[] = [
  { flags: ["--restart", "sometimes"], says: "invalid restart policy" },
  { flags: ["--restart", "always", "--rm"], says: /[Cc]onflicting options|can't create/ },
  { flags: ["--cap-add", "FLY"], says: 'invalid CapAdd: unknown capability: "CAP_FLY"' },
  { flags: ["-m", "1m"], says: "Minimum memory limit allowed is 6MB" },
  {
    flags: ["--device-cgroup-rule", "c 1:3 rwm", "--pid", "container:none"],
    says: "No such container: none",
  },
  { flags: ["--oom-score-adj", "2000"], says: "range for oom score adj is [-1000, 1000]" },
  { flags: ["--log-driver", "gelf"], says: "no log driver named 'gelf' is registered" },
  { flags: ["--log-opt", "colour=red"], says: "unknown log opt 'colour' for json-file log driver" },
  { flags: ["--log-opt", "mode=non-blocking"], says: "non-blocking is not supported" },
  { flags: ["--log-driver", "none", "--log-opt", "tag=x"], says: /none/ },
  { flags: ["--runtime", "nosuch"], says: "unknown or invalid runtime name: nosuch" },
  {
    flags: ["--mount", "type=bind,source=/no/such,target=/x"],
    says: "bind source path does not exist: /no/such",
  },
  { flags: ["-v", "b@d:/x"], says: "includes invalid characters for a local volume name" },
  { flags: ["--cpus", "1000"], says: "range of CPUs is from 0.01 to" },
  { flags: ["--device", "/no/such", "--pid", "no"], says: /invalid PID mode|--pid/ },
  {
    flags: ["--storage-opt", "size=1g"],
    says: "--storage-opt is supported only for overlay over xfs",
  },
  { flags: ["--storage-opt", "colour=red"], says: "unknown storage option colour" },
  { flags: ["--add-host", "db:nowhere"], says: /invalid IP address in add-host/ },
  { flags: ["--userns", "private"], says: /user namespace|USER mode/i },
];

/** None unless it is said. */
const networkOf = (flags: readonly string[]) =>
  flags.includes("--network") ? [] : ["--network", "none"];

const hasJournal = existsSync(JOURNAL_SOCKET);
const WRITTEN_MS = 20_000;
const order = ({ PRIORITY }: JournalEntry) => Number(PRIORITY);

const MUSTER = resolve(import.meta.dirname, "../../bin/muster");
const TLS_ADDRESS = "tcp://127.0.0.1:2376";

/** A line of the json-file driver. */
interface JsonLine {
  readonly log: string;
  readonly stream: string;
  readonly time: string;
}

describe("e2e: what docker run may ask of a container", function () {
  this.timeout(180_000);
  let host: EngineHost;
  let certificates: Certificates;

  before(async () => {
    certificates = await makeCertificates();
    host = await startEngineHost("e2ehostcfg", [
      ...["-H", TLS_ADDRESS, "--tlsverify", "--tlscacert", certificates.client.cert],
      ...["--tlscert", certificates.server.cert, "--tlskey", certificates.server.key],
    ]);
  });
  after(async () => {
    await host?.close();
    if (certificates !== undefined) rmSync(certificates.folder, { recursive: true });
  });

  /** What a script prints in a container with these flags. */
  async function output(flags: readonly string[], script: string): Promise<string> {
    const id = await host.mustDocker(
      "create",
      ...[...networkOf(flags), ...flags, "busybox", "sh", "-c", script],
    );
    try {
      await host.mustDocker("start", id);
      await host.mustDocker("wait", id);
      const { stdout, stderr } = await host.docker("logs", id);
      return `${stdout}${stderr}`.trim();
    } finally {
      await host.mustDocker("rm", "-f", "-v", id);
    }
  }

  for (const { name, flags, script, says } of RUN_CASES)
    it(`has ${name}: ${flags.join(" ")}`, async () => {
      const said = await output(flags, script);
      if (typeof says === "string") expect(said).to.equal(says);
      else expect(said).to.match(says);
    });

  for (const { flags, says } of REFUSED)
    it(`is refused ${flags.join(" ")}`, async () => {
      const said = await host.failDocker("create", "--network", "none", ...flags, "busybox");
      if (typeof says === "string") expect(said).to.contain(says);
      else expect(said).to.match(says);
    });

  it("is all in docs/docker-run.md", async () => {
    const help = await host.mustDocker("create", "--help");
    const flags = [...help.matchAll(/^ +(?:-\w, )?(--[a-z0-9-]+)/gm)].map(([, flag]) => flag);
    expect(flags.length).to.be.greaterThan(80);
    const table = readFileSync(resolve(import.meta.dirname, "../../docs/docker-run.md"), "utf8");
    expect(flags.filter((flag) => !table.includes(`\`${flag}\``))).to.deep.equal([]);
  });

  it("finds this machine by the name that stands for it", async () => {
    const add = ["--add-host", "here:host-gateway"];
    const script = "ping -c 1 -W 20 here >/dev/null && grep -c here /etc/hosts";
    expect(await output([...add, "--network", "bridge"], script)).to.equal("1");
    const ofNone = await output([...add, "--network", "none"], "grep here /etc/hosts");
    const format = "{{(index .IPAM.Config 0).Gateway}}";
    const gateway = await host.mustDocker("network", "inspect", "-f", format, "bridge");
    expect(ofNone, "the default network's").to.equal(`${gateway}\there`);
  });

  it("is made by the OCI runtime that it asks for, and stays with it", async () => {
    const [standard, ...others] = (
      await host.mustDocker(
        "info",
        "-f",
        "{{.DefaultRuntime}} {{range $k, $v := .Runtimes}}{{$k}} {{end}}",
      )
    ).split(" ");
    expect(others).to.include.members(["crun", "runc", "io.containerd.runc.v2", standard]);
    for (const asked of ["crun", "runc"]) {
      const name = `by-${asked}`;
      const flags = ["--runtime", asked, "--name", name, "--network", "none", "--init"];
      await host.mustDocker("run", "-d", ...flags, "busybox", "sleep", "1000");
      const format = "{{.HostConfig.Runtime}}";
      expect(await host.mustDocker("inspect", "-f", format, name)).to.equal(asked);
      expect((await host.docker("exec", name, "sh", "-c", "exit 7")).code).to.equal(7);
      const missing = await host.docker("exec", name, "/no/such");
      expect(missing.code).to.equal(127);
      await host.mustDocker("update", "--pids-limit", "50", name);
      await host.mustDocker("pause", name);
      await host.mustDocker("unpause", name);
      await host.mustDocker("restart", "-t", "0", name);
      await host.mustDocker("rm", "-f", name);
    }
  });

  it("does without AppArmor where there is none, and says so", async () => {
    if (existsSync("/sys/kernel/security/apparmor")) return;
    const flags = ["--name", "armed", "--network", "none", "--security-opt", "apparmor=mine"];
    const { stderr } = await host.docker("create", ...flags, "busybox", "true");
    expect(stderr).to.contain("the profile mine is not used");
    await host.mustDocker("start", "armed");
    await host.mustDocker("rm", "-f", "armed");
  });

  it("lets a container speak to the daemon by its socket", async () => {
    const programs = ["/usr", "/lib", "/lib64"].filter((path) => existsSync(path));
    const flags = [
      ...programs.flatMap((path) => ["-v", `${path}:${path}:ro`]),
      ...["-v", `${dirname(host.cli)}:/cli:ro`],
      ...["-v", `${host.node.socket}:/var/run/docker.sock`],
    ];
    const script = `/cli/${basename(host.cli)} ps --no-trunc -q | grep -c $(hostname)`;
    expect(await output(flags, script)).to.equal("1");
  });

  it("is asked for by TCP only with a certificate", async () => {
    const { client, server, stranger } = certificates;
    const ask = (...flags: readonly string[]) =>
      host.cluster.lab.exec(host.node.host, [
        ...[host.cli, "-H", TLS_ADDRESS, ...flags],
        ...["version", "-f", "{{.Server.Os}}"],
      ]);
    const verify = ["--tlsverify", "--tlscacert", server.cert];
    const as = (who: Pair) => ["--tlscert", who.cert, "--tlskey", who.key];
    const known = await ask(...verify, ...as(client));
    expect([known.code, known.stdout.trim()]).to.deep.equal([0, "linux"], known.stderr);
    for (const refused of [[...verify, ...as(stranger)], ["--tls"], []]) {
      const { code, stderr } = await ask(...refused);
      expect(code, stderr).to.equal(1);
    }
  });

  it("is asked by muster too, with streams both ways", async () => {
    const { client, server, stranger } = certificates;
    const muster = ({ cert, key }: Pair, ...words: readonly string[]) => {
      const files = ["--tlscacert", server.cert, "--tlscert", cert, "--tlskey", key];
      const program = [MUSTER, "-H", TLS_ADDRESS, "--tlsverify", ...files, ...words].join(" ");
      const script = `echo given | ${program}`;
      return host.cluster.lab.exec(host.node.host, ["sh", "-c", script]);
    };
    const run = ["run", "-i", "--rm", "--network", "none", "busybox", "cat"];
    const { code, stdout, stderr } = await muster(client, ...run);
    expect([code, stdout], stderr).to.deep.equal([0, "given\n"]);
    expect((await muster(stranger, "ps")).stderr).to.contain("check --tlscert");
  });

  it("mounts the host's directories, volumes, and those of other containers", async () => {
    const dir = join(host.cluster.folder, "shared");
    mkdirSync(dir);
    writeFileSync(join(dir, "in"), "given");
    const flags = [
      "-v",
      `${dir}:/given:ro`,
      "-v",
      `${dir}/made:/made`,
      "-v",
      "vol:/vol",
      "-v",
      "/own",
    ];
    const script =
      "cat /given/in; echo; touch /given/x 2>&1; echo back > /made/out; echo v > /vol/f; mount | grep -c ' /own '";
    const said = await output(["--name", "mounter", ...flags], script);
    expect(said).to.match(/^given\n.*Read-only file system\n1$/);
    expect(readFileSync(join(dir, "made/out"), "utf8")).to.equal("back\n");
    await host.mustDocker(
      "create",
      "--name",
      "holder",
      "--network",
      "none",
      "-v",
      "vol:/vol",
      "busybox",
    );
    expect(await output(["--volumes-from", "holder:ro"], "cat /vol/f; touch /vol/x 2>&1")).to.match(
      /^v\n.*Read-only file system$/,
    );
    await host.mustDocker("rm", "holder");
  });

  it("joins other containers' processes, memory and network", async () => {
    const other = ["create", "--name", "other", "--network", "none", "--ipc", "shareable"];
    await host.mustDocker(...other, "busybox", "sh", "-c", "echo hi > /dev/shm/f; sleep 1000");
    await host.mustDocker("start", "other");
    const script = "cat /dev/shm/f; tr '\\0' ' ' < /proc/1/cmdline";
    expect(await output(["--ipc", "container:other", "--pid", "container:other"], script)).to.match(
      /^hi\nsleep 1000/,
    );
    const join = ["create", "--name", "joined", "--network", "container:other"];
    await host.mustDocker(...join, "busybox", "hostname");
    const [id] = (await host.mustDocker("inspect", "-f", "{{.Id}}", "other")).split("\n");
    expect(
      await host.mustDocker("inspect", "-f", "{{.HostConfig.NetworkMode}}", "joined"),
    ).to.equal(`container:${id}`);
    await host.mustDocker("start", "-a", "joined").catch(() => undefined);
    await host.mustDocker("kill", "other");
    await host.mustDocker("wait", "other");
    const late = await host.failDocker("start", "joined");
    expect(late).to.contain("non running container");
    await host.mustDocker("rm", "-f", "joined", "other");
  });

  it("filters system calls by a profile of one's own", async () => {
    const file = join(host.cluster.folder, "seccomp.json");
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }],
    };
    writeFileSync(file, JSON.stringify(profile));
    const said = await output(["--security-opt", `seccomp=${file}`], "mkdir /x; echo $?");
    expect(said)
      .to.match(/Operation not permitted/)
      .and.match(/^1$/m);
    writeFileSync(file, '{"defaultAction":5}');
    const flags = ["--network", "none", "--security-opt", `seccomp=${file}`];
    expect(await host.failDocker("create", ...flags, "busybox")).to.contain(
      "decoding seccomp profile failed: it has no defaultAction",
    );
  });

  it("keeps what it writes as it asks", async () => {
    const { dataRoot } = host.node;
    const logged = async (flags: readonly string[], format: string) => {
      const script = "echo said; echo cried >&2";
      const create = ["create", "--name", "logged", "--network", "none", ...flags];
      await host.mustDocker(...create, "busybox", "sh", "-c", script);
      await host.mustDocker("start", "logged");
      await host.mustDocker("wait", "logged");
      const { stdout, stderr } = await host.docker("logs", "--details", "logged");
      const shown = await host.mustDocker("inspect", "-f", format, "logged");
      const id = await host.mustDocker("inspect", "-f", "{{.Id}}", "logged");
      const [, path = ""] = shown.split(" ");
      const file = path === "" ? "" : readFileSync(path, "utf8");
      await host.mustDocker("rm", "logged");
      return { said: `${stdout}|${stderr.trimEnd()}`, shown, id, file };
    };
    const format = "{{.HostConfig.LogConfig.Type}} {{.LogPath}}";
    const tag = ["--log-opt", "tag={{.Name}}.{{.ImageName}}"];
    const plain = await logged(tag, format);
    expect(plain.said).to.equal("tag=logged.busybox said\n|tag=logged.busybox cried");
    expect(plain.shown).to.equal(
      `json-file ${dataRoot}/containers/${plain.id}/${plain.id}-json.log`,
    );
    const lines = plain.file
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as JsonLine);
    const attrs = { tag: "logged.busybox" };
    expect(lines.map(({ time: _, ...line }) => line)).to.have.deep.members([
      { log: "said\n", stream: "stdout", attrs },
      { log: "cried\n", stream: "stderr", attrs },
    ]);
    expect(lines.map(({ time }) => /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d+Z$/.test(time))).to.deep.equal([
      true,
      true,
    ]);
    const local = await logged(["--log-driver", "local", "--log-opt", "max-size=1m"], format);
    expect([local.said, local.shown]).to.deep.equal([" said\n| cried", "local"]);
    const none = await logged(["--log-driver", "none"], format);
    expect(none.shown).to.equal("none");
    expect(none.said).to.contain("configured logging driver does not support reading");
  });

  it(`sends what it writes to the journal${hasJournal ? " (skipped: there is a real one)" : ""}`, async function () {
    if (hasJournal) this.skip();
    const flags = ["--log-driver", "journald", "--log-opt", "tag={{.Name}}/{{.ID}}"];
    const create = ["create", "--name", "journaled", "--network", "none", ...flags, "busybox"];
    expect(await host.failDocker(...create)).to.contain("journald is not enabled on this host");
    const journal = new FakeJournal();
    try {
      const id = await host.mustDocker(...create, "sh", "-c", "echo said; echo cried >&2");
      await host.mustDocker("start", "journaled");
      await host.mustDocker("wait", "journaled");
      await eventually("both lines are there", () => journal.entries().length >= 2, WRITTEN_MS);
      const short = id.slice(0, 12);
      const common = { CONTAINER_ID: short, CONTAINER_ID_FULL: id, CONTAINER_NAME: "journaled" };
      const tagged = { ...common, CONTAINER_TAG: `journaled/${short}` };
      const [said, cried] = journal.entries().toSorted((a, b) => order(b) - order(a));
      expect(said).to.include({ ...tagged, PRIORITY: "6" });
      expect(cried).to.include({ ...tagged, PRIORITY: "3" });
      // With the newline or without, as conmon's version has it.
      expect([said, cried].map((entry) => entry?.MESSAGE?.trim())).to.deep.equal(["said", "cried"]);
      const { stdout } = await host.docker("logs", "journaled");
      expect(stdout).to.equal("said\n");
      await host.mustDocker("rm", "journaled");
    } finally {
      journal.close();
    }
  });

  it("has its group where it asks, and other limits while it runs", async () => {
    const flags = ["--cgroup-parent", `/${PARENT}`, "-m", "32m", "--pids-limit", "33"];
    const id = await host.mustDocker(
      ...["create", "--name", "limited", "--network", "none", ...flags],
      ...["busybox", "sleep", "1000"],
    );
    await host.mustDocker("start", "limited");
    const groups = await findGroups(id);
    expect(groups.length).to.be.greaterThan(0);
    expect(groups.filter((dir) => !dir.endsWith(`/${PARENT}/${id}`))).to.deep.equal([]);
    const limit = (...files: string[]) =>
      groups
        .flatMap((dir) => files.map((file) => `${dir}/${file}`))
        .filter((path) => existsSync(path))
        .map((path) => readFileSync(path, "utf8").trim())[0];
    expect(limit("memory.limit_in_bytes", "memory.max")).to.equal(String(32 * 2 ** 20));
    await host.mustDocker(
      "update",
      "-m",
      "64m",
      "--memory-swap",
      "64m",
      "--pids-limit",
      "44",
      "limited",
    );
    expect(limit("memory.limit_in_bytes", "memory.max")).to.equal(String(64 * 2 ** 20));
    expect(limit("pids.max")).to.equal("44");
    const format = "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.CgroupParent}}";
    expect(await host.mustDocker("inspect", "-f", format, "limited")).to.equal(
      `67108864 44 /${PARENT}`,
    );
    await host.mustDocker("rm", "-f", "limited");
    for (const dir of groups) if (existsSync(dirname(dir))) rmdirSync(dirname(dir));
    expect(await findGroups(id)).to.deep.equal([]);
  });

  it("tells what the kernel cannot limit", async () => {
    const { stderr } = await host.docker(
      "create",
      "--name",
      "warned",
      "--network",
      "none",
      "--blkio-weight",
      "300",
      "busybox",
    );
    const weight = await host.mustDocker("inspect", "-f", "{{.HostConfig.BlkioWeight}}", "warned");
    if (weight === "0") expect(stderr).to.contain("Block I/O weight");
    else expect(weight).to.equal("300");
    await host.mustDocker("rm", "warned");
  });
});
