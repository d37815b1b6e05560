import { type Command, Option } from "commander";
import { collect } from "../flags/filters.ts";
import type { ContainerBody } from "./body.ts";
import { CONTAINER_FLAGS } from "./flags.ts";

/** The options as commander hands them over: camelCase names; text, true, or a list of texts. */
export type ContainerOptions = Readonly<Record<string, unknown>> & {
  readonly interactive?: boolean;
  readonly tty?: boolean;
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
    .option("-i, --interactive", "Keep its input open")
    .option("-t, --tty", "Give it a terminal");
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
  const isDetached = options.detach === true;
  const body: ContainerBody = {
    Image: image,
    ...(command.length > 0 ? { Cmd: command } : {}),
    ...(options.tty === true ? { Tty: true } : {}),
    ...(options.interactive === true ? { OpenStdin: true } : {}),
    ...(options.interactive === true && !isDetached ? { StdinOnce: true, AttachStdin: true } : {}),
    ...(isDetached ? {} : { AttachStdout: true, AttachStderr: true }),
  };
  for (const { flag, apply } of CONTAINER_FLAGS) {
    const option = new Option(flag);
    const value = options[option.attributeName()];
    // `--no-x` is true by default and false when it is given.
    if (option.negate ? value === false : value === true) apply(body, "");
    else if (typeof value === "string") apply(body, value);
    else if (Array.isArray(value)) for (const text of value) apply(body, String(text));
  }
  return body;
}
