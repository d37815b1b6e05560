import { join } from "node:path";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { lex } from "../../core/shell-words/expand.ts";
import { quoted } from "../../core/shell-words/invalid.ts";
import { Turns } from "../container/turns.ts";
import { shortDigest } from "../image/digest.ts";
import { familiarReference, parseReference } from "../image/reference.ts";
import type { Digest, Image, Platform, ProgressEvent } from "../image/types.ts";
import { BuildFolder } from "./build-folder.ts";
import { type BuildMachine, BuildSession } from "./build-session.ts";
import { receiveContext, takeDockerfile } from "./context.ts";
import type { Dockerfile, Stage, WrittenStep } from "./dockerfile/instruction.ts";
import { findStage, parseDockerfile } from "./dockerfile/parse.ts";
import { BuildArgs } from "./plan/build-args.ts";
import { parsePlatformText } from "./plan/platform-text.ts";
import { fetchContext } from "./remote/remote-context.ts";
import { cancelled } from "./run-step.ts";
import { arrow, StageBuild } from "./stage-build.ts";
import type { BuildOptions, BuildRequest, Builds } from "./types.ts";

/** At a time: each may hold a context and run a container. */
const BUILDS_MAX = 8;
const WAITING_MAX = 100;
const SCRATCH = "scratch";

/** Builds images from Dockerfiles, step by step. What is under its root is of builds that are under way. */
export class Builder implements Builds {
  readonly #machine: BuildMachine;
  readonly #root: string;
  readonly #log: Log;
  readonly #turns = new Turns("building images", { slots: BUILDS_MAX, waitingMax: WAITING_MAX });

  private constructor(machine: BuildMachine, root: string, log: Log) {
    this.#machine = machine;
    this.#root = root;
    this.#log = log;
  }

  /** Clears away what builds left that a killed process did not bring to their end. */
  static async open(machine: BuildMachine, dataRoot: string, log: Log): Promise<Builder> {
    const root = join(dataRoot, "build");
    await BuildFolder.clearAll(root, machine, log);
    return new Builder(machine, root, log);
  }

  async build(
    context: AsyncIterable<Uint8Array>,
    request: BuildRequest,
    options: BuildOptions,
  ): Promise<Digest> {
    const tags = request.tags.map(readTag);
    return this.#turns.run(async () => {
      const folder = await BuildFolder.make(this.#root, this.#machine);
      try {
        const sent = await this.#bringContext(context, request.remote, folder, options);
        const session = new BuildSession(this.#machine, request, folder, options);
        try {
          return await this.#buildAndTag(session, tags, sent);
        } finally {
          session.close();
        }
      } finally {
        await this.#clear(folder);
      }
    });
  }

  /** @returns the Dockerfile's text when there is nothing else; undefined: it is in the context. */
  async #bringContext(
    context: AsyncIterable<Uint8Array>,
    remote: string,
    folder: BuildFolder,
    { signal, onOutput }: BuildOptions,
  ): Promise<string | undefined> {
    if (remote === "") {
      await receiveContext(context, folder.context, signal);
      return undefined;
    }
    const onProgress = (event: ProgressEvent) => void onOutput({ kind: "progress", event });
    return fetchContext(remote, folder, { signal, onProgress });
  }

  /** What cannot be removed now is told, and removed at the next start: the image is none the worse for it. */
  async #clear(folder: BuildFolder): Promise<void> {
    try {
      await folder.remove();
    } catch (error) {
      this.#log.warn("cannot remove what is left of a build", { reason: errorMessage(error) });
    }
  }

  async #buildAndTag(
    session: BuildSession,
    tags: readonly string[],
    sent: string | undefined,
  ): Promise<Digest> {
    const image = await buildAll(session, sent);
    void session.say(`Successfully built ${shortDigest(image)}\n`);
    for (const tag of tags) {
      await this.#machine.images.tag(image, tag);
      void session.say(`Successfully tagged ${familiarReference(parseReference(tag))}\n`);
    }
    return image;
  }
}

async function buildAll(session: BuildSession, sent: string | undefined): Promise<Digest> {
  const { request, folder } = session;
  const { text, name } =
    sent === undefined
      ? takeDockerfile(folder.context, request.dockerfile)
      : { text: sent, name: request.remote };
  const dockerfile = parseDockerfile(text, name);
  const stages = withLabels(upTo(dockerfile, request.target), request.labels);
  const args = new BuildArgs(request.args);
  const { metaArgs, escapeSign, warnings } = dockerfile;
  for (const warning of warnings) void session.say(`[WARNING]: ${warning}\n`, true);
  const total = metaArgs.length + stages.reduce((sum, { steps }) => sum + 1 + steps.length, 0);
  let step = 0;
  const announce = (code: string) => void session.say(`Step ${++step}/${total} : ${code}\n`);
  for (const meta of metaArgs) {
    announce(meta.code);
    for (const { name: key, value } of meta.args)
      args.addMeta({
        name: key,
        value: value === undefined ? value : expand(value, args, escapeSign),
      });
  }
  for (const stage of stages) {
    if (stage.name !== "" && session.findStage(stage.name) !== undefined)
      throw new ClusterError("InvalidArgument", `${stage.name} stage name already used`);
    const build = new StageBuild(session, args.forStage(), escapeSign);
    announce(stage.code);
    await build.begin(await baseOf(stage, session, args, escapeSign));
    void session.say(arrow(build.image));
    for (const written of stage.steps) {
      if (session.signal.aborted) throw cancelled();
      announce(written.code);
      await build.carryOut(written);
      void session.say(arrow(build.image));
    }
    session.finish({ name: stage.name, image: build.image });
    if (stage === stages.at(-1)) return finish(session, args, build.image);
  }
  throw new ClusterError("Internal", "a Dockerfile has a stage");
}

function finish(session: BuildSession, args: BuildArgs, image: Digest | undefined): Digest {
  const unused = args.unused();
  if (unused.length > 0)
    void session.say(`[Warning] One or more build-args [${unused.join(" ")}] were not consumed\n`);
  if (image !== undefined) return image;
  throw new ClusterError("InvalidArgument", "No image was generated. Is your Dockerfile empty?");
}

/** Undefined: it begins with nothing. */
async function baseOf(
  { base, platform }: Stage,
  session: BuildSession,
  args: BuildArgs,
  escapeSign: string,
): Promise<Image | undefined> {
  const wanted = platform === "" ? undefined : readPlatform(expand(platform, args, escapeSign));
  const name = expand(base, args, escapeSign);
  if (name === "")
    throw new ClusterError("InvalidArgument", `base name (${base}) should not be blank`);
  const stage = session.findStage(name);
  if (stage !== undefined)
    return stage.image === undefined ? undefined : session.images.get(stage.image);
  return name === SCRATCH ? undefined : session.bases.get(name, wanted);
}

/** The stages as far as they are asked for. @throws {ClusterError} InvalidArgument. Docker's words. */
function upTo({ stages }: Dockerfile, target: string): readonly Stage[] {
  if (target === "") return stages;
  const last = findStage(stages, target);
  if (last !== undefined) return stages.slice(0, last + 1);
  throw new ClusterError("InvalidArgument", `target stage ${quoted(target)} could not be found`);
}

/** Labels from outside are the last stage's last steps. */
function withLabels(
  stages: readonly Stage[],
  labels: Readonly<Record<string, string>>,
): readonly Stage[] {
  const steps: WrittenStep[] = Object.keys(labels)
    .toSorted()
    .map((key) => {
      const value = labels[key] ?? "";
      return {
        step: { kind: "label", pairs: [{ key, value }], isLiteral: true },
        code: `LABEL ${key}=${value}`,
      };
    });
  return stages.map((stage, index) =>
    index === stages.length - 1 ? { ...stage, steps: [...stage.steps, ...steps] } : stage,
  );
}

function expand(text: string, args: BuildArgs, escapeSign: string): string {
  return lex(text, { escapeSign, lookup: args.metaLookup }).text;
}

function readPlatform(text: string): Platform {
  const platform = parsePlatformText(text);
  if (platform !== undefined) return platform;
  throw new ClusterError("InvalidArgument", `failed to parse platform ${text.slice(0, 100)}`);
}

/** @throws {ClusterError} InvalidArgument. Docker's words. */
function readTag(text: string): string {
  if (parseReference(text).digest === undefined) return text;
  throw new ClusterError("InvalidArgument", "build tag cannot contain a digest");
}
