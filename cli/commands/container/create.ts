import type { Command } from "commander";
import { addContainerFlags, type ContainerOptions, readBody } from "../../container/create-body.ts";
import { type MakeOptions, makeContainer } from "../../container/make.ts";
import type { Context } from "../../context.ts";

type CreateOptions = ContainerOptions & MakeOptions;

export function addContainerCreate(parent: Command, context: Context): void {
  addContainerFlags(
    parent.command("create").description("Make a container, to be started later"),
  ).action(async (image: string, args: string[], options: CreateOptions, verb: Command) => {
    const body = readBody(verb, image, args, options);
    context.print(`${await makeContainer(context, body, options)}\n`);
  });
}
