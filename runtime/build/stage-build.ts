import { ClusterError } from "../../core/errors.ts";
import { shortDigest } from "../image/digest.ts";
import type { BuildImages, Digest, Image, UpperFiles } from "../image/types.ts";
import { readInRoot } from "../linux/open-in-root.ts";
import { asIfRun, nothingToRun } from "./as-if-run.ts";
import type { BuildSession } from "./build-session.ts";
import { type CopyJob, copyFiles, makeDirectory, writeInlineFile } from "./copy-files.ts";
import {
  type CopySource,
  digestOfAll,
  type FetchedFile,
  findSources,
  inlineDigest,
} from "./copy-sources.ts";
import { parseMode, readTarget } from "./copy-target.ts";
import { expandStep } from "./dockerfile/expand-step.ts";
import type { CopyInstruction, Step, WrittenStep } from "./dockerfile/instruction.ts";
import { parseTrigger } from "./dockerfile/parse.ts";
import { type Owner, parseOwner } from "./owner.ts";
import { applyStep, nopOf, type StageState, workdirOf } from "./plan/apply-step.ts";
import type { BuildArgs } from "./plan/build-args.ts";
import { copyComment } from "./plan/copy-comment.ts";
import { DEFAULT_SHELL, planRun } from "./plan/run-command.ts";
import { EMPTY_CONFIG, readStageConfig, withPath, writeStageConfig } from "./plan/stage-config.ts";
import { download } from "./remote/download.ts";
import { resolveTarget } from "./resolve-target.ts";
import { cancelled, runStep } from "./run-step.ts";

const ACCOUNT_FILE_BYTES_MAX = 1024 * 1024;
const ROOT: Owner = { uid: 0, gid: 0 };

/** What one step makes an image of. */
interface NewImage {
  /** As the history says it. */
  readonly createdBy: string;
  /** Undefined: nothing but the configuration. */
  readonly files: UpperFiles | undefined;
}

/** One stage on its way: the image there is so far, and what it says. */
export class StageBuild {
  readonly #session: BuildSession;
  readonly #args: BuildArgs;
  readonly #escapeSign: string;
  #image: Digest | undefined;
  #state: StageState = { config: withPath(EMPTY_CONFIG), cmdSet: false, author: "" };
  /** Once a step was not in the cache, nothing after it is. */
  #cacheIsCold: boolean;

  constructor(session: BuildSession, args: BuildArgs, escapeSign: string) {
    this.#session = session;
    this.#args = args;
    this.#escapeSign = escapeSign;
    this.#cacheIsCold = session.request.noCache;
  }

  /** Undefined: of nothing, so far. */
  get image(): Digest | undefined {
    return this.#image;
  }

  /** Takes what the stage begins with, and does what its ONBUILDs say. */
  async begin(base: Image | undefined): Promise<void> {
    if (base !== undefined) this.#take(base.id);
    const config = base === undefined ? EMPTY_CONFIG : readStageConfig(base.config, base.rawConfig);
    this.#become({ config: withPath({ ...config, onBuild: [] }) });
    const triggers = config.onBuild;
    if (triggers.length === 0) return;
    const plural = triggers.length > 1 ? "s" : "";
    void this.#session.say(`# Executing ${triggers.length} build trigger${plural}\n`);
    for (const trigger of triggers) await this.carryOut(parseTrigger(trigger));
  }

  /** @throws {ClusterError} what the step says is wrong, or fails. */
  async carryOut({ step }: Pick<WrittenStep, "step">): Promise<void> {
    if (this.#session.signal.aborted) throw cancelled();
    const expanded = expandStep(step, this.#lookup, this.#escapeSign);
    switch (expanded.kind) {
      case "arg":
        for (const arg of expanded.args) this.#args.add(arg);
        return this.#configure(`ARG ${argsText(expanded)}`);
      case "run":
        return this.#run(expanded);
      case "copy":
      case "add":
        return this.#copy(expanded);
      case "workdir":
        return this.#changeDirectory(expanded.path);
      default: {
        const { state, createdBy, note } = applyStep(this.#state, expanded);
        if (note !== "") void this.#session.say(note);
        this.#state = state;
        return this.#commitOrReuse(createdBy, createdBy);
      }
    }
  }

  /** The image's own variables hide arguments. */
  readonly #lookup = (name: string): string | undefined => {
    const own = this.#state.config.env.find((line) => line.startsWith(`${name}=`));
    return own === undefined ? this.#args.lookup(name) : own.slice(name.length + 1);
  };

  #become(change: Partial<StageState>): void {
    this.#state = { ...this.#state, ...change };
  }

  async #configure(comment: string): Promise<void> {
    const createdBy = nopOf(this.#state.config.shell, ` ${comment}`);
    await this.#commitOrReuse(createdBy, createdBy);
  }

  async #run(step: Extract<Step, { kind: "run" }>): Promise<void> {
    const { config } = this.#state;
    const command = planRun(step, config.shell.length > 0 ? config.shell : DEFAULT_SHELL);
    const env = this.#args.environment(config.env);
    const said = this.#args.history(env);
    const createdBy = [...said, ...command.shown].join(" ");
    const key = this.#keyOf(JSON.stringify([said, command]));
    if (await this.#reuse(createdBy, key)) return;
    const image = this.#image;
    if (image === undefined) throw nothingToRun(this.#session, command);
    const { containers, request, folder, signal, say } = this.#session;
    const job = { image, command, env, request, folder, signal, onText: say };
    await runStep(containers, job, (files) => this.#commit({ createdBy, files }, key));
  }

  async #changeDirectory(path: string): Promise<void> {
    const { config } = this.#state;
    const workdir = workdirOf(config.workdir, path);
    this.#become({ config: { ...config, workdir } });
    const createdBy = nopOf(config.shell, `WORKDIR ${workdir}`);
    const key = this.#keyOf(createdBy);
    if (await this.#reuse(createdBy, key)) return;
    await this.#session.withRoot(this.#image, async (rootfs) => {
      makeDirectory(rootfs.merged, resolveTarget(rootfs.merged, workdir));
      const files = { rootfs, isSpare: true };
      await asIfRun(this.#session, () => this.#commit({ createdBy, files }, key));
    });
  }

  async #copy(step: CopyInstruction): Promise<void> {
    await this.#session.withSources(step.from, async (sourceRoot) => {
      const command = step.kind === "copy" ? "COPY" : "ADD";
      const isContext = step.from === "";
      const keepsOwners = !isContext && step.chown === "";
      const fetch = (url: string) => this.#fetch(url, step.target);
      const options = { command, keepsOwners, isContext, fetch } as const;
      const sources = await findSources(sourceRoot, step.sources, options);
      const digests = [
        ...sources.map(({ digest }) => digest),
        ...step.inlineFiles.map(inlineDigest),
      ];
      if (digests.length === 0)
        throw new ClusterError(
          "InvalidArgument",
          `${command} failed: no source files were specified`,
        );
      const target = readTarget(step.target, this.#state.config.workdir);
      if (digests.length > 1 && !target.isDirectory)
        throw new ClusterError(
          "InvalidArgument",
          `When using ${command} with more than one source file, the destination must be a directory and end with a /`,
        );
      const createdBy = nopOf(this.#state.config.shell, copyComment(step, digestOfAll(digests)));
      const key = this.#keyOf(createdBy);
      if (!(await this.#reuse(createdBy, key)))
        await this.#copyFrom({ step, sources }, createdBy, key);
    });
  }

  /** Docker's words. */
  async #fetch(url: string, target: string): Promise<FetchedFile> {
    const { folder, signal, say, tell } = this.#session;
    const root = folder.newPlace();
    const { name, fileName } = await download(url, root, { signal, onProgress: tell });
    void say("\n");
    if (name === undefined && target.endsWith("/"))
      throw new ClusterError("InvalidArgument", `cannot determine filename for source ${url}`);
    return { root, fileName };
  }

  async #copyFrom(
    from: {
      readonly step: CopyInstruction;
      readonly sources: readonly CopySource[];
    },
    createdBy: string,
    key: string,
  ): Promise<void> {
    const { step, sources } = from;
    const { signal } = this.#session;
    const mode = parseMode(step.chmod);
    const wanted = readTarget(step.target, this.#state.config.workdir);
    await this.#session.withRoot(this.#image, async (rootfs) => {
      const { merged } = rootfs;
      const target = { ...wanted, path: resolveTarget(merged, wanted.path) };
      const owner = step.chown === "" ? undefined : ownerIn(merged, step.chown);
      const given = owner ?? (step.from === "" ? ROOT : undefined);
      for (const { root: sourceRoot, path, isFetched } of sources) {
        const unpacks = step.kind === "add" && !isFetched;
        const job: CopyJob = { sourceRoot, path, target, owner: given, mode, unpacks, signal };
        await copyFiles(merged, job);
      }
      for (const file of step.inlineFiles)
        writeInlineFile(merged, file, { target, owner: owner ?? ROOT, mode });
      await this.#commit({ createdBy, files: { rootfs, isSpare: true } }, key);
    });
  }

  async #commitOrReuse(createdBy: string, what: string): Promise<void> {
    const key = this.#keyOf(what);
    if (await this.#reuse(createdBy, key)) return;
    await asIfRun(this.#session, () => this.#commit({ createdBy, files: undefined }, key));
  }

  /** The same for the same step over the same image. What begins with nothing is of a platform all the same. */
  #keyOf(what: string): string {
    const { config, author } = this.#state;
    const { os, architecture, variant } = this.#session.platform;
    const platform = this.#image === undefined ? [os, architecture, variant] : [];
    return JSON.stringify([what, writeStageConfig(config), author, ...platform]);
  }

  async #reuse(createdBy: string, key: string): Promise<boolean> {
    if (this.#cacheIsCold) return false;
    const found = this.#findHere(key) ?? (await this.#findElsewhere(createdBy, key));
    this.#cacheIsCold = found === undefined;
    if (found === undefined) return false;
    void this.#session.say(" ---> Using cache\n");
    this.#take(found.id);
    return true;
  }

  /** Among what was built here; when images are given as a cache, only what they were built from. */
  #findHere(key: string): Image | undefined {
    const { images, request, cacheSources } = this.#session;
    const found = images.steps.find(this.#image, key);
    if (found === undefined || request.cacheFrom.length === 0) return found;
    const isOf = (source: Image) => isBuiltFrom(source.id, found.id, images.steps);
    return cacheSources.some(isOf) ? found : undefined;
  }

  /** In the history of images that were given as a cache. */
  async #findElsewhere(createdBy: string, key: string): Promise<Image | undefined> {
    const { images, cacheSources, platform } = this.#session;
    const config = writeStageConfig(this.#state.config);
    for (const { id } of cacheSources) {
      const found = await images.steps.findIn(id, this.#image, {
        createdBy,
        config,
        key,
        platform,
      });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async #commit({ createdBy, files }: NewImage, key: string): Promise<void> {
    const { images, clock, platform } = this.#session;
    const { config, author } = this.#state;
    const image = await images.steps.add(this.#image, {
      createdMs: clock.nowMs(),
      author,
      createdBy,
      config: writeStageConfig(config),
      files,
      platform,
      key,
    });
    this.#take(image.id);
  }

  /** Goes on from it; it stays as long as the build. */
  #take(image: Digest): void {
    this.#image = image;
    this.#session.hold(image);
  }
}

/** What is said when a step is done. */
export function arrow(image: Digest | undefined): string {
  return ` ---> ${image === undefined ? "" : shortDigest(image)}\n`;
}

/** Whether `image` is `ancestor`, or was built from it here. */
function isBuiltFrom(
  image: Digest,
  ancestor: Digest,
  steps: Pick<BuildImages, "parentOf">,
): boolean {
  const seen = new Set<Digest>();
  for (let at: Digest | undefined = image; at !== undefined; at = steps.parentOf(at)) {
    if (at === ancestor) return true;
    if (seen.has(at)) return false;
    seen.add(at);
  }
  return false;
}

function argsText({ args }: Extract<Step, { kind: "arg" }>): string {
  return args.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`)).join(" ");
}

function ownerIn(root: string, chown: string): Owner {
  const read = (path: string) =>
    readInRoot(root, path, ACCOUNT_FILE_BYTES_MAX)?.toString("utf8") ?? "";
  return parseOwner(chown, { passwd: read("/etc/passwd"), group: read("/etc/group") });
}
