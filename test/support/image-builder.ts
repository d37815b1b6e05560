import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached, unpackPackages } from "./debian-packages.ts";
import { type ImageSettings, packOciArchive } from "./image-archive.ts";
import { packTar, type TarInput } from "./tar-writer.ts";

const run = promisify(execFile);

/** What an image is made from. */
export interface ImageRecipe {
  /** `nginx:latest`. */
  readonly name: string;
  /** Debian packages, with the libraries they need; the lower layer. */
  readonly packages: readonly string[];
  /** Paths inside the packages that are left out. */
  readonly without: readonly string[];
  /** The upper layer. */
  readonly files: readonly TarInput[];
  readonly settings: ImageSettings;
}

/** Documentation and what libc needs for other languages. */
const NEVER_NEEDED = [
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "usr/share/lintian",
  "usr/lib/x86_64-linux-gnu/gconv",
  "usr/lib/aarch64-linux-gnu/gconv",
];
/** Newer packages have everything below usr, older ones not: the image has it there, with links. */
const MERGED = ["bin", "sbin", "lib", "lib64"];
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const VERSION = 2;

const USERS: readonly TarInput[] = [
  {
    name: "etc/passwd",
    content:
      "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  },
  { name: "etc/group", content: "root:x:0:\nwww-data:x:33:\nnogroup:x:65534:\n" },
  { name: "root/", mode: 0o700 },
  { name: "tmp/", mode: 0o1777 },
];

/**
 * Builds an image from Debian packages and files, once per machine. Needs root (owners of files) and apt.
 *
 * @returns the path of an OCI archive.
 */
export async function buildImage(recipe: ImageRecipe): Promise<string> {
  const directory = await cached("images", JSON.stringify({ VERSION, recipe }), async (made) => {
    const lower = recipe.packages.length === 0 ? [] : [await packageLayer(recipe, made)];
    const layers = [...lower, packTar(recipe.files)];
    const { name, settings } = recipe;
    await writeFile(join(made, "image.tar"), packOciArchive({ name, layers, settings }));
  });
  return join(directory, "image.tar");
}

/** A shell and the usual small programs, among them sleep, httpd, nc and wget: `busybox:latest`. */
export async function busyboxImage(): Promise<string> {
  const root = await unpackPackages(["busybox-static"]);
  const program = [join(root, "bin/busybox"), join(root, "usr/bin/busybox")].find(existsSync);
  if (program === undefined) throw new Error("busybox-static has no busybox program");
  const { stdout } = await run(program, ["--list"]);
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  return buildImage({
    name: "busybox:latest",
    packages: ["busybox-static"],
    without: ["usr/share"],
    files: [
      ...applets.map(
        (name): TarInput => ({ name: `usr/bin/${name}`, type: "symlink", linkName: "busybox" }),
      ),
      ...USERS,
    ],
    settings: { Cmd: ["sh"], Env: [PATH] },
  });
}

/** A web server on port 80 whose every page is its host name: `nginx:latest`. */
export async function nginxImage(): Promise<string> {
  return buildImage({
    name: "nginx:latest",
    packages: ["nginx-light", "nginx", "nginx-common"],
    without: ["etc", "usr/share/perl5", "usr/share/vim", "usr/lib/nginx/modules"],
    files: [
      { name: "etc/nginx/nginx.conf", content: NGINX_CONFIG },
      { name: "var/log/nginx/" },
      { name: "var/lib/nginx/" },
      { name: "run/" },
      ...USERS,
    ],
    settings: {
      Entrypoint: ["nginx"],
      Cmd: ["-g", "daemon off;"],
      Env: [PATH],
      ExposedPorts: { "80/tcp": {} },
      StopSignal: "SIGQUIT",
    },
  });
}

const NGINX_CONFIG = `
worker_processes 1;
error_log stderr;
pid /run/nginx.pid;
events {}
http {
  access_log off;
  default_type text/plain;
  server {
    listen 80;
    location / { return 200 "$hostname\\n"; }
  }
}
`;

async function packageLayer(recipe: ImageRecipe, workDirectory: string): Promise<Buffer> {
  const root = join(workDirectory, "root");
  const tar = join(workDirectory, "root.tar");
  await cp(await unpackPackages(recipe.packages, { withLibraries: true }), root, {
    recursive: true,
    verbatimSymlinks: true,
  });
  for (const name of MERGED) await mergeIntoUsr(root, name);
  for (const path of [...NEVER_NEEDED, ...recipe.without])
    await rm(join(root, path), { recursive: true, force: true });
  // The same files give the same bytes, so that images keep their digest from one build to the next.
  const stable = [
    "--format=posix",
    "--sort=name",
    "--mtime=@0",
    "--pax-option=delete=atime,delete=ctime",
  ];
  await run("tar", [...stable, "--numeric-owner", "-C", root, "-cf", tar, "."]);
  const layer = await readFile(tar);
  await rm(root, { recursive: true });
  await rm(tar);
  return layer;
}

async function mergeIntoUsr(root: string, name: string): Promise<void> {
  const path = join(root, name);
  if (existsSync(path)) {
    await mkdir(join(root, "usr", name), { recursive: true });
    await run("cp", ["-a", `${path}/.`, join(root, "usr", name)]);
    await rm(path, { recursive: true });
  }
  if (existsSync(join(root, "usr", name))) await symlink(`usr/${name}`, path);
}
