import type { Remote } from "./remote-url.ts";

/** A repository as a context. */
export type GitRemote = Extract<Remote, { kind: "git" }>;

/** Nothing but these is spoken, by submodules neither: no local files, no ssh, no programs. */
const PROTOCOLS = "http:https:git";
/** What goes on to git of the daemon's own environment. */
const KEPT = ["PATH", "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"];
/** Nobody's settings but ours; a hook or a filter of the repository's would be a program of a stranger's. */
const SETTINGS = [
  ...["-c", "core.hooksPath=/dev/null"],
  ...["-c", "core.fsmonitor=false"],
  ...["-c", "gc.auto=0", "-c", "maintenance.auto=false"],
  ...["-c", "protocol.file.allow=never"],
  ...["-c", "protocol.ext.allow=never"],
];

/** The commands that bring a repository's files into an empty folder; each is the words after `git`. */
export function gitCommands(
  { url, ref }: Pick<GitRemote, "url" | "ref">,
  folder: string,
): { readonly init: readonly string[]; readonly shallow: readonly string[] } & {
  readonly whole: readonly string[];
  readonly checkout: readonly string[];
  readonly submodules: readonly string[];
} {
  const at = ["-C", folder, ...SETTINGS];
  const from = ["--no-recurse-submodules", "--", url, ref === "" ? "HEAD" : ref];
  return {
    init: ["init", "--quiet", "--template=", "--", folder],
    shallow: [...at, "fetch", "--quiet", "--depth=1", ...from],
    // Of servers that hand out files and nothing else.
    whole: [...at, "fetch", "--quiet", ...from],
    checkout: [...at, "checkout", "--quiet", "--detach", "FETCH_HEAD"],
    submodules: [
      ...[...at, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"],
    ],
  };
}

/** Whether a fetch failed because its server cannot give a part of a history. */
export function cannotBeShallow(output: string): boolean {
  return /does not support shallow/i.test(output);
}

/** What git is given; it asks nobody anything. */
export function gitEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = KEPT.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(kept),
    GIT_ALLOW_PROTOCOL: PROTOCOLS,
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    HOME: "/nonexistent",
    LC_ALL: "C",
  };
}
