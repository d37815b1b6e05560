import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect } from "chai";
import Docker from "dockerode";
import { askJson } from "../support/ask.ts";
import { type Cluster, startDaemons } from "../support/cluster/cluster.ts";
import type { TestNode } from "../support/cluster/test-node.ts";
import { debianDockerCli } from "../support/docker-cli.ts";
import { eventually } from "../support/eventually.ts";
import { busyboxImage } from "../support/image-builder.ts";
import type { CommandResult } from "../support/lab/lab.ts";
import { pushImage } from "../support/push-image.ts";
import { type RunningRegistry, startRegistry } from "../support/registry.ts";
import { Swagger } from "../support/swagger.ts";
import { packTar } from "../support/tar-writer.ts";

const SWAGGER = resolve(
  import.meta.dirname,
  "../../../shared/reference/docker-engine-api-v1.51.yaml",
);
const PORT = 5000;
const MUSTER = resolve(import.meta.dirname, "../../bin/muster");
/** `correct horse`, by perl's crypt. */
const HTPASSWD = "alice:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";
const NONE = `sha256:${"0".repeat(64)}`;

interface Line {
  readonly status?: string;
  readonly id?: string;
  readonly aux?: { readonly Digest: string };
  readonly errorDetail?: { readonly message: string };
}

describe("e2e: images, by the stock docker command line", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let node: TestNode;
  let registry: RunningRegistry;
  /** Lets alice in and nobody else. */
  let locked: RunningRegistry;
  let cli: string;
  let api: Docker;
  /** Of an image the registry has with the tags `1` and `2`. */
  let repository: string;

  before(async function () {
    this.timeout(120_000);
    const archive = await busyboxImage();
    cli = await debianDockerCli();
    const flags = ({ ip }: { ip: string }) => [
      ...["--insecure-registry", `${ip}:${PORT}`],
      ...["--insecure-registry", `${ip}:${PORT + 1}`],
    ];
    cluster = await startDaemons({ name: "e2eimages", managers: 1, workers: 0, flags });
    [node] = cluster.nodes as [TestNode];
    const { ip, netns } = cluster.outside;
    const dir = join(cluster.folder, "registry");
    registry = await startRegistry({ dir, listen: `${ip}:${PORT}`, netns });
    const lockedDir = join(cluster.folder, "locked");
    const htpasswd = HTPASSWD;
    locked = await startRegistry({ dir: lockedDir, listen: `${ip}:${PORT + 1}`, netns, htpasswd });
    repository = `${registry.addr}/team/box`;
    await pushImage(cluster, archive, `${repository}:1`);
    await pushImage(cluster, archive, `${repository}:2`);
    mkdirSync(join(cluster.folder, "config"));
    api = new Docker({ socketPath: node.socket });
  });
  after(async () => {
    await registry?.close();
    await locked?.close();
    await cluster?.close();
  });

  /** A code other than 0 is a result. */
  function docker(...args: string[]): Promise<CommandResult> {
    const config = ["--config", join(cluster.folder, "config")];
    return cluster.lab.exec(node.host, [cli, ...config, "-H", `unix://${node.socket}`, ...args]);
  }

  /** What a command that succeeds prints. */
  async function output(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await docker(...args);
    expect(code, `docker ${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
    return stdout.trim();
  }

  /** What a command that fails says. */
  async function failure(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await docker(...args);
    expect(code, `docker ${args.join(" ")}\n${stdout}`).to.not.equal(0);
    return stderr.trim();
  }

  /** The lines of a stream. */
  async function linesOf(stream: NodeJS.ReadableStream): Promise<Line[]> {
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    return text
      .trim()
      .split("\r\n")
      .map((line) => JSON.parse(line) as Line);
  }

  describe("pull", () => {
    it("brings an image by tag and says what it does", async () => {
      const said = (await output("pull", `${repository}:1`)).split("\n");
      expect(said[0]).to.equal("1: Pulling from team/box");
      expect(said.some((line) => /^[0-9a-f]{12}: Pull complete$/.test(line))).to.equal(true);
      expect(said.at(-3)).to.match(/^Digest: sha256:[0-9a-f]{64}$/);
      expect(said.at(-2)).to.equal(`Status: Downloaded newer image for ${repository}:1`);
      expect(said.at(-1)).to.equal(`${repository}:1`);
      expect(await output("pull", `${repository}:1`)).to.contain("Image is up to date");
      expect(await output("pull", "-q", `${repository}:2`)).to.equal(`${repository}:2`);
    });

    it("brings all tags, one digest, one platform", async () => {
      const all = await output("pull", "-a", repository);
      for (const tag of ["1", "2"]) expect(all).to.contain(`${tag}: Pulling from team/box`);
      expect(all.split("\n").at(-2)).to.equal(`Status: Image is up to date for ${repository}`);
      const digest = await output("inspect", "-f", "{{index .RepoDigests 0}}", `${repository}:1`);
      expect(digest).to.contain(`${repository}@sha256:`);
      await output("rmi", `${repository}:1`, `${repository}:2`);
      expect(await output("pull", digest)).to.contain(
        `Status: Downloaded newer image for ${digest}`,
      );
      expect(await output("images", "--digests", "--format", "{{.Tag}} {{.Digest}}")).to.equal(
        `<none> ${digest.replace(/.*@/, "")}`,
      );
      await output("pull", "--platform", "linux", `${repository}:1`);
      await output("rmi", digest);
    });

    it("fails in Docker's words", async () => {
      expect(await failure("pull", `${repository}:none`)).to.match(
        /^Error response from daemon: manifest for .*\/team\/box:none not found: manifest unknown/,
      );
      expect(await failure("pull", `${registry.addr}/team/nobody`)).to.contain(
        "nobody:latest not found",
      );
      expect(await failure("pull", `${repository}@${NONE}`)).to.contain("not found");
      const refused = await api.createImage({ fromImage: "Not/Lower", tag: "1" }).then(
        () => undefined,
        (error: { statusCode: number; message: string }) => error,
      );
      expect(refused?.statusCode).to.equal(400);
      expect(refused?.message).to.contain("invalid reference format");
    });

    it("goes on for others when one of two clients leaves", async () => {
      await output("rmi", "-f", `${repository}:1`);
      const name = { fromImage: repository, tag: "1" };
      const [left, right] = await Promise.all([api.createImage(name), api.createImage(name)]);
      (left as NodeJS.ReadableStream & { destroy(): void }).destroy();
      const lines = await linesOf(right);
      expect(lines.at(-1)?.status).to.contain("Status:");
    });
  });

  describe("names", () => {
    it("are listed, filtered, given and taken", async () => {
      await output("tag", `${repository}:1`, "a/b/c:x");
      await output("tag", "a/b/c:x", "plain");
      const format = ["--format", "{{.Repository}}:{{.Tag}}"];
      expect(await output("images", ...format, "a/b/c")).to.equal("a/b/c:x");
      const since = ["--filter", "reference=p*", "--filter", "dangling=false"];
      expect(await output("images", ...format, ...since)).to.equal("plain:latest");
      const id = await output("inspect", "-f", "{{.Id}}", "a/b/c:x");
      expect(await output("images", "-q", "--no-trunc", "plain")).to.equal(id);
      expect(await output("rmi", "plain")).to.equal("Untagged: plain:latest");
      expect(await failure("rmi", id)).to.match(
        /conflict: unable to delete [0-9a-f]{12} \(must be forced\) - image is referenced in multiple repositories/,
      );
      expect(await failure("rmi", "plain")).to.match(/No such image: plain/);
      expect(await failure("tag", "nobody", "x")).to.contain("No such image: nobody:latest");
      await output("rmi", "a/b/c:x");
    });

    it("lead to what an image is and was", async () => {
      const fields = "{{.Os}} {{.Config.Cmd}} {{len .RootFS.Layers}} {{.Size}}";
      const shown = await output("image", "inspect", "-f", fields, `${repository}:1`);
      expect(shown).to.match(/^linux \[sh\] 2 \d{6,}$/);
      const history = await output("history", "--no-trunc", "-q", `${repository}:1`);
      expect(history.split("\n")).to.have.lengthOf(2);
      expect(await failure("image", "inspect", "nobody")).to.contain("No such image: nobody");
      const unknown = await api.listImages({ filters: { colour: ["red"] } }).then(
        () => undefined,
        (error: { statusCode: number }) => error.statusCode,
      );
      expect(unknown).to.equal(400);
    });

    it("go with what is pruned", async () => {
      await output("tag", `${repository}:1`, "spare");
      expect(await output("image", "prune", "-f")).to.contain("Total reclaimed space: 0B");
      const said = await output("image", "prune", "-a", "-f", "--filter", "label!=keep");
      expect(said).to.match(/untagged: spare:latest.*deleted: sha256:.*reclaimed space: \d/s);
      expect(await output("images", "-q")).to.equal("");
    });
  });

  describe("push", () => {
    it("sends an image, and its digest is what is pulled", async () => {
      await output("pull", "-q", `${repository}:1`);
      await output("tag", `${repository}:1`, `${registry.addr}/pushed:v1`);
      await output("tag", `${repository}:1`, `${registry.addr}/pushed:v2`);
      const said = await output("push", `${registry.addr}/pushed:v1`);
      expect(said.split("\n")[0]).to.equal(
        `The push refers to repository [${registry.addr}/pushed]`,
      );
      expect(said).to.match(/[0-9a-f]{12}: (Pushed|Layer already exists|Mounted from)/);
      expect(said).to.match(/v1: digest: sha256:[0-9a-f]{64} size: \d+$/);
      expect(said).to.contain("Mounted from team/box");
      expect(await output("push", "-a", `${registry.addr}/pushed`)).to.match(
        /v1: digest.*v2: digest/s,
      );
      const image = api.getImage(`${registry.addr}/pushed`);
      const lines = await linesOf(await image.push({ tag: "v2", authconfig: {} as never }));
      const digest = lines.at(-1)?.aux?.Digest;
      expect(said).to.contain(digest);
      await output("rmi", `${registry.addr}/pushed:v1`, `${registry.addr}/pushed:v2`);
      expect(await output("pull", `${registry.addr}/pushed:v1`)).to.contain(`Digest: ${digest}`);
    });

    it("fails in the stream, in Docker's words", async () => {
      expect(await failure("push", `${registry.addr}/nobody:1`)).to.contain(
        `An image does not exist locally with the tag: ${registry.addr}/nobody`,
      );
      expect(await failure("push", `${registry.addr}/pushed:none`)).to.equal(
        `tag does not exist: ${registry.addr}/pushed:none`,
      );
    });
  });

  describe("logins", () => {
    const login = (password: string) => output("login", "-u", "alice", "-p", password, locked.addr);

    it("are checked by the registry itself", async () => {
      const wrong = ["login", "-u", "alice", "-p", "wrong", locked.addr];
      expect(await failure(...wrong)).to.match(/login attempt to .* failed with status: 401/);
      expect(await login("correct horse")).to.contain("Login Succeeded");
      expect(await output("login", "-u", "x", "-p", "y", registry.addr)).to.contain("Succeeded");
    });

    it("open what is private", async () => {
      const name = `${locked.addr}/private/box:1`;
      await output("tag", `${repository}:1`, name);
      await output("push", name);
      await output("rmi", name);
      expect(await output("pull", "-q", name)).to.equal(name);
      await output("logout", locked.addr);
      expect(await failure("pull", name)).to.match(
        /Head "http:.*\/v2\/private\/box\/manifests\/1": no basic auth credentials/,
      );
      expect(await failure("push", name)).to.equal("no basic auth credentials");
      await output("rmi", name);
    });

    it("that fail have the status and words programs look for", async () => {
      const { status, json } = await askJson(node.socket, "POST /auth", {
        ...{ username: "alice", password: "wrong", serveraddress: `http://${locked.addr}/v2/` },
      });
      expect([status, json]).to.deep.equal([
        401,
        {
          message: `login attempt to http://${locked.addr}/v2/ failed with status: 401 Unauthorized`,
        },
      ]);
    });
  });

  describe("search", () => {
    it("says that it needs Docker Hub", async () => {
      expect(await failure("search", "busybox")).to.match(
        /cannot search Docker Hub: Get "https:\/\/index\.docker\.io\/.*dial tcp/,
      );
      expect(await failure("search", `${registry.addr}/box`)).to.contain(
        "registries with an index",
      );
    });
  });

  describe("disk usage", () => {
    it("counts images and volumes", async () => {
      await output("pull", "-q", `${repository}:1`);
      const lines = await output("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Size}}");
      expect(lines).to.match(
        /^Images 1 \d.*MB\nContainers 0 0B\nLocal Volumes 0 0B\nBuild Cache 0 0B$/,
      );
      expect(await output("system", "df", "-v")).to.contain(`${registry.addr}/`);
    });
  });

  describe("answers", () => {
    it("fit Docker's Swagger file", async function () {
      if (!existsSync(SWAGGER)) this.skip();
      const swagger = new Swagger(SWAGGER);
      const name = `${repository}:1`;
      const asked: readonly [string, string][] = [
        ["GET /images/json", "GET /images/json?all=1&shared-size=1"],
        ["GET /images/{name}/json", `GET /images/${name}/json`],
        ["GET /images/{name}/history", `GET /images/${name}/history`],
        ["GET /system/df", "GET /system/df"],
        ["GET /distribution/{name}/json", `GET /distribution/${name}/json`],
        ["POST /images/{name}/tag", `POST /images/${name}/tag?repo=fit&tag=1`],
        ["DELETE /images/{name}", "DELETE /images/fit:1"],
        ["DELETE /images/{name}", "DELETE /images/fit:1"],
        ["POST /images/prune", "POST /images/prune"],
      ];
      for (const [operation, path] of asked) {
        const { status, json } = await askJson(node.socket, path);
        expect(swagger.problems(operation, status, json), operation).to.deep.equal([]);
      }
    });
  });

  describe("archives", () => {
    const file = (name: string) => join(cluster.folder, name);

    it("hold images that are loaded again under their names", async () => {
      await output("pull", "-q", `${repository}:1`);
      for (const name of ["saved:a", "saved:b", "other"])
        await output("tag", `${repository}:1`, name);
      const id = await output("inspect", "-f", "{{.Id}}", "other");
      await output("save", "-o", file("all.tar"), "saved", "other:latest");
      await output("save", "-o", file("id.tar"), id);
      await output("rmi", "-f", id);
      expect(await output("load", "-i", file("id.tar"))).to.equal(`Loaded image ID: ${id}`);
      const said = (await output("load", "-i", file("all.tar"))).split("\n").toSorted();
      expect(said).to.deep.equal(
        ["other:latest", "saved:a", "saved:b"].map((name) => `Loaded image: ${name}`),
      );
      expect(await output("inspect", "-f", "{{.Id}}", "saved:b")).to.equal(id);
      const container = await output("create", "--network", "none", "saved:a", "true");
      expect(await failure("rmi", "other", "saved:a", "saved:b")).to.match(
        /conflict: unable to remove repository reference "saved:b" \(must force\) - container [0-9a-f]{12} is using/,
      );
      await output("rm", container);
      expect(await failure("save", "-o", file("none.tar"), "saved", "nobody")).to.contain(
        "No such image: nobody",
      );
    });

    it("that are OCI layouts other tools could read", async () => {
      const layout = file("layout");
      mkdirSync(layout);
      execFileSync("tar", ["-C", layout, "-xf", file("all.tar")]);
      const read = (name: string) => JSON.parse(readFileSync(join(layout, name), "utf8"));
      expect(read("oci-layout")).to.deep.equal({ imageLayoutVersion: "1.0.0" });
      const { manifests } = read("index.json") as { manifests: { digest: string }[] };
      expect(manifests).to.have.lengthOf(3);
      for (const name of readdirSync(join(layout, "blobs/sha256"))) {
        const bytes = readFileSync(join(layout, "blobs/sha256", name));
        expect(createHash("sha256").update(bytes).digest("hex")).to.equal(name);
      }
      const [{ Config, Layers }] = read("manifest.json") as [{ Config: string; Layers: string[] }];
      expect([Config, ...Layers].every((path) => existsSync(join(layout, path)))).to.equal(true);
      expect(read("repositories").saved).to.have.keys("a", "b");
    });

    it("of a root file system become an image", async () => {
      const tar = file("rootfs.tar");
      execFileSync("tar", ["-C", "/etc", "-czf", tar, "hostname"]);
      const changes = ["-c", 'CMD ["cat", "/hostname"]', "-c", "ENV A=b"];
      const id = await output("import", "-m", "by hand", ...changes, tar, "imported:v1");
      expect(id).to.match(/^sha256:[0-9a-f]{64}$/);
      const history = await output("history", "--format", "{{.Comment}} {{.Size}}", "imported:v1");
      expect(history).to.match(/^by hand \d+B$/);
      const format = ["-f", "{{.Config.Cmd}} {{.Config.Env}}"];
      expect(await output("inspect", ...format, "imported:v1")).to.equal("[cat /hostname] [A=b]");
      const refused = ["import", "http://127.0.0.1:9/x.tar"];
      expect(await failure(...refused)).to.contain(
        'Get "http://127.0.0.1:9/x.tar": dial tcp 127.0.0.1:9: connect: connection refused',
      );
    });

    it("that are bad leave nothing", async () => {
      const before = await output("images", "-a", "-q", "--no-trunc");
      writeFileSync(file("bad.tar"), "this is no archive".repeat(100));
      expect(await failure("load", "-i", file("bad.tar"))).to.match(/checksum|archive/);
      expect(await failure("import", file("bad.tar"), "bad")).to.match(/checksum|archive/);
      const outside = packTar([
        { name: "manifest.json", content: '[{"Config":"../../../etc/passwd","Layers":[]}]' },
        { name: "../../../etc/passwd", type: "symlink", linkName: "/etc/passwd" },
      ]);
      writeFileSync(file("outside.tar"), outside);
      expect(await failure("load", "-i", file("outside.tar"))).to.contain("image archive has no");
      writeFileSync(file("up.tar"), packTar([{ name: "../up", content: "x" }]));
      expect(await failure("import", file("up.tar"), "up")).to.contain("..");
      expect(await output("images", "-a", "-q", "--no-trunc")).to.equal(before);
    });
  });

  describe("commit", () => {
    it("makes an image of what a container has changed", async () => {
      const script = "echo kept > /kept; rm /etc/group; echo done; exec sleep 1000";
      const open = ["-v", "/vol", "--expose", "80"];
      const run = ["run", "-d", "--network", "none", "-e", "A=b", ...open, `${repository}:1`];
      const id = await output(...run, "sh", "-c", script);
      await eventually("it has done its work", async () => (await output("logs", id)) === "done");
      const changes = ["-c", 'CMD ["cat", "/kept"]', "-c", "ENV A=$A-c", "-m", "by commit"];
      const made = await output("commit", ...changes, id, "made:1");
      expect(made).to.match(/^sha256:[0-9a-f]{64}$/);
      const format = "{{.Config.Cmd}} {{index .Config.Env 0}} {{len .RootFS.Layers}}";
      expect(await output("inspect", "-f", format, "made:1")).to.match(/^\[cat \/kept\] A=b-c 3$/);
      const held = "{{.Config.Volumes}} {{.Config.ExposedPorts}} {{.Parent}}";
      const parent = await output("inspect", "-f", "{{.Image}}", id);
      expect(await output("inspect", "-f", held, "made:1")).to.equal(
        `map[/vol:{}] map[80/tcp:{}] ${parent}`,
      );
      expect(await output("inspect", "-f", "{{.State.Status}}", id)).to.equal("running");
      const again = await output("run", "-d", "--network", "none", "made:1");
      expect(await output("wait", again)).to.equal("0");
      expect(await output("logs", again)).to.equal("kept");
      expect(await node.mustMuster("commit", id, "made:2")).to.match(/^sha256:/);
      await output("rm", "-f", id, again);
      await output("rmi", "made:1", "made:2");
      expect(await failure("commit", "nobody", "x")).to.contain("No such container: nobody");
    });
  });

  describe("muster", () => {
    it("has the same verbs", async () => {
      const muster = (...args: string[]) => node.mustMuster(...args);
      const name = `${locked.addr}/private/own:1`;
      const env = { ...process.env, DOCKER_CONFIG: join(cluster.folder, "own") };
      const inLab = async (...args: string[]) => {
        const program = ["sh", "-c", `echo correct horse | "$@"`, "sh", MUSTER];
        const command = [...program, "-H", `unix://${node.socket}`, ...args];
        const { code, stdout, stderr } = await cluster.lab.exec(node.host, command, { env });
        expect(code, `muster ${args.join(" ")}\n${stdout}${stderr}`).to.equal(0);
        return stdout.trim();
      };
      expect(await muster("pull", `${repository}:1`)).to.equal(`${repository}:1`);
      await muster("tag", `${repository}:1`, name);
      expect(await inLab("login", "-u", "alice", "--password-stdin", locked.addr)).to.equal(
        "Login Succeeded",
      );
      expect(statSync(join(cluster.folder, "own/config.json")).mode & 0o777).to.equal(0o600);
      expect(await inLab("push", name)).to.match(/private\/own:1@sha256:[0-9a-f]{64}$/);
      expect(await muster("rmi", name)).to.contain(`Untagged: ${name}`);
      expect(await inLab("pull", "-q", name)).to.equal(name);
      await inLab("logout", locked.addr);
      const archive = join(cluster.folder, "own.tar");
      await muster("save", "-o", archive, name);
      await muster("image", "rm", name);
      expect(await muster("load", "-i", archive)).to.equal(`Loaded image: ${name}`);
      expect(await muster("images", "--format", "{{.Repository}}:{{.Tag}}", name)).to.equal(name);
      expect(await muster("history", "-q", name)).to.match(/^[0-9a-f]{12}/);
      const seen = await muster(
        ...["events", "--since", "10m", "--until", "0s", "--filter", "event=push"],
        ...["--format", "{{.Actor.ID}}"],
      );
      expect(seen.split("\n").at(-1)).to.equal(name);
      await muster("rmi", name);
    });
  });

  describe("events", () => {
    it("tell of all of it", async () => {
      const until = String(Date.now() / 1000);
      const format = ["--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"];
      const pushes = await output(
        "events",
        "--since",
        "1",
        "--until",
        until,
        ...format,
        "--filter",
        "event=push",
      );
      expect(pushes.split("\n")[0]).to.equal(`image push ${registry.addr}/pushed`);
      const all = await output("events", "--since", "1", "--until", until, ...format);
      for (const action of ["pull", "tag", "untag", "delete", "prune", "save", "load", "import"])
        expect(all, action).to.match(new RegExp(`^image ${action} `, "m"));
    });

    it("tell of the swarm too", async () => {
      await output("swarm", "init", "--advertise-addr", node.host.ip);
      await output("config", "create", "settings", "/etc/hostname");
      await output("network", "create", "-d", "overlay", "wide");
      await output("config", "rm", "settings");
      const told = () =>
        output(
          ...["events", "--since", "1", "--until", String(Date.now() / 1000)],
          ...["--filter", "scope=swarm", "--filter", "type=config", "--filter", "type=network"],
          ...["--format", "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}"],
        );
      const expected = ["config create settings", "network create wide", "config remove settings"];
      await eventually("the events are there", async () => {
        const lines = (await told()).split("\n");
        return expected.every((line) => lines.includes(line));
      });
      await output("swarm", "leave", "--force");
    });
  });
});
