import { lstatSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError } from "../../../core/errors.ts";
import { removeTree } from "../../linux/open-directory.ts";
import { cannotBeShallow, type GitRemote, gitCommands } from "./git-plan.ts";
import type { RunGit } from "./run-git.ts";

const MODULES = ".gitmodules";
const OWN_FOLDER = ".git";
const WORDS_LENGTH_MAX = 2000;

/**
 * Brings the files of a repository into the place of `context`, without git's own.
 *
 * @param work a path beside it that nobody uses yet, for the repository.
 * @throws {ClusterError} Unavailable with git's words; NotFound when there is no such folder in it; as `RunGit`.
 */
export async function cloneContext(
  remote: GitRemote,
  { context, work }: { readonly context: string; readonly work: string },
  run: RunGit,
  signal: AbortSignal,
): Promise<void> {
  const commands = gitCommands(remote, work);
  const mustRun = async (words: readonly string[], what: string) => {
    const { exitCode, output } = await run(words, signal);
    if (exitCode !== 0) throw failed(what, output, exitCode);
  };
  await mkdir(work);
  await mustRun(commands.init, "failed to init repo");
  const { exitCode, output } = await run(commands.shallow, signal);
  if (exitCode !== 0 && !cannotBeShallow(output)) throw failed("error fetching", output, exitCode);
  if (exitCode !== 0) await mustRun(commands.whole, "error fetching");
  await mustRun(commands.checkout, `error checking out ${remote.ref}`);
  if (isThere(join(work, MODULES)))
    await mustRun(commands.submodules, "error initializing submodules");
  const folder = folderIn(work, remote.folder);
  await removeTree(join(work, OWN_FOLDER));
  await removeTree(context);
  await rename(folder, context);
}

/** Walked part by part: a link in the repository leads nowhere. */
function folderIn(root: string, path: string): string {
  let folder = root;
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    folder = join(folder, part);
    const facts = lstatSync(folder, { throwIfNoEntry: false });
    if (facts?.isDirectory() !== true || part === OWN_FOLDER)
      throw new ClusterError(
        "NotFound",
        `error setting context, "${path.slice(0, 200)}" not within git root`,
      );
  }
  return folder;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function failed(what: string, output: string, exitCode: number): ClusterError {
  const words = output.trim().slice(0, WORDS_LENGTH_MAX);
  return new ClusterError("Unavailable", `${what}: ${words}: exit status ${exitCode}`);
}
