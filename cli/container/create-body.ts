import { type Command, Option } from "commander";
import { ClusterError } from "../../core/errors.ts";
import { collect } from "../flags/filters.ts";
import type { ContainerBody } from "./body.ts";
import { CONTAINER_FLAGS } from "./flags.ts";
import { applyNetworks, type NetworkOptions } from "./networks.ts";
import { parseStream } from "./values.ts";

/** The options as commander hands them over: camelCase names; text, a boolean, or a list of texts. */
export type ContainerOptions = Readonly<Record<string, unknown>> &
  NetworkOptions & {
    readonly interactive?: boolean;
    readonly tty?: boolean;
    readonly detach?: boolean;
    readonly attach?: readonly string[];
  };

/** Adds all flags that say what a container is; the image and its command follow them. */
export function addContainerFlags(command: Command): Command {
  command
    .helpOption("--help", "Show how to use it")
    .argument("<image>", "Its image")
    .argument("[command...]", "Command and its arguments, instead of the image's")
    .passThroughOptions()
    .option("--name <name>", "Its name")
    .option("--platform <platform>", "os/architecture[/variant] of its image")
    .option("--pull <when>", "always, missing or never", "missing")
    .option("-q, --quiet", "No progress of a pull")
    .option("--cidfile <file>", "Write its id there")
    .option("--disable-content-trust", "Images are not signed: without effect", true)
    .option("-a, --attach <stream>", "Stay with stdin, stdout or stderr", collect)
    .option("-i, --interactive", "Keep its input open")
    .option("-t, --tty", "Give it a terminal")
    .option("--network <network>", "bridge, host, none, container:NAME, or a network's", collect)
    .option("--network-alias <name>", "Another name for it in the first network", collect)
    .option("--link <container[:alias]>", "A name for another container, for it alone", collect)
    .option("--ip <address>", "Its IPv4 address in the first network")
    .option("--ip6 <address>", "Its IPv6 address there")
    .option("--link-local-ip <address>", "A link-local address there", collect)
    .option("--mac-address <address>", "Its hardware address there");
  for (const { flag, help, isList } of CONTAINER_FLAGS)
    command.addOption(isList ? new Option(flag, help).argParser(collect) : new Option(flag, help));
  return command;
}

/** What is sent to make one; the input ends with whoever stays with it. @throws {ClusterError} `InvalidArgument` for a bad value. */
export function createBody(
  image: string,
  command: readonly string[],
  options: ContainerOptions,
): ContainerBody {
  if (image === "")
    throw new ClusterError(
      "InvalidArgument",
      "invalid reference format: the image's name is empty",
    );
  const { interactive = false, tty = false } = options;
  const streams = attachedStreams(options);
  const body: ContainerBody = {
    Image: image,
    ...(command.length > 0 ? { Cmd: command } : {}),
    ...(tty ? { Tty: true } : {}),
    ...(interactive ? { OpenStdin: true } : {}),
    ...(interactive && streams.stdin ? { StdinOnce: true } : {}),
    ...(streams.stdin ? { AttachStdin: true } : {}),
    ...(streams.stdout ? { AttachStdout: true } : {}),
    ...(streams.stderr ? { AttachStderr: true } : {}),
  };
  for (const { flag, apply } of CONTAINER_FLAGS) {
    const option = new Option(flag);
    const value = options[option.attributeName()];
    // `--no-x` is true by default and false when it is given.
    if (option.negate) {
      if (value === false) apply(body, "");
    } else if (typeof value === "boolean" || typeof value === "string") apply(body, String(value));
    else if (Array.isArray(value)) for (const text of value) apply(body, String(text));
  }
  applyNetworks(body, options);
  const { RestartPolicy } = (body.HostConfig ?? {}) as { RestartPolicy?: { Name: string } };
  if (options.rm === true && !["no", ""].includes(RestartPolicy?.Name ?? "no")) {
    const message = "conflicting options: cannot specify both --restart and --rm";
    throw new ClusterError("InvalidArgument", message);
  }
  return body;
}

/** The same, where what is wrong is said as of any flag: with how to use the command. */
export function readBody(
  verb: Command,
  image: string,
  command: readonly string[],
  options: ContainerOptions,
): ContainerBody {
  try {
    return createBody(image, command, options);
  } catch (error) {
    if (error instanceof ClusterError) verb.error(error.message);
    throw error;
  }
}

/** Which of a container's streams somebody stays with: both outputs, and an open input, unless told otherwise. */
export function attachedStreams({ attach = [], detach = false, interactive }: ContainerOptions): {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
} {
  const named = attach.map(parseStream);
  if (detach && named.length > 0)
    throw new ClusterError(
      "InvalidArgument",
      "conflicting options: cannot specify both --attach and --detach",
    );
  const has = (stream: "stdout" | "stderr") =>
    !detach && (named.length === 0 || named.includes(stream));
  return {
    stdin: !detach && (named.length === 0 ? interactive === true : named.includes("stdin")),
    stdout: has("stdout"),
    stderr: has("stderr"),
  };
}
