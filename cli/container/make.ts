import { ClusterError } from "../../core/errors.ts";
import { authHeader } from "../client/registry-auth.ts";
import { splitTag } from "../commands/image/ref.ts";
import type { Context } from "../context.ts";
import { showTransfer } from "../output/transfer.ts";
import type { ContainerBody } from "./body.ts";

/** What is asked for beside the container itself. */
export interface MakeOptions {
  readonly name?: string;
  readonly platform?: string;
  /** When its image is pulled. */
  readonly pull: string;
}

/** Makes a container, and pulls its image first where that is missing or asked for. @returns its id. */
export async function makeContainer(
  context: Context,
  body: ContainerBody,
  { name, platform, pull }: MakeOptions,
): Promise<string> {
  if (!["always", "missing", "never"].includes(pull))
    throw new ClusterError("InvalidArgument", `invalid --pull '${pull}': always, missing or never`);
  const create = async () => {
    const { Id, Warnings } = await context
      .client()
      .post<{ Id: string; Warnings?: string[] }>("/containers/create", body, { name, platform });
    for (const warning of Warnings ?? []) context.warn(`WARNING: ${warning}\n`);
    return Id;
  };
  if (pull === "always") await pullImage(context, body.Image, platform);
  try {
    return await create();
  } catch (error) {
    const isMissing = error instanceof ClusterError && error.code === "NotFound";
    if (!isMissing || pull !== "missing") throw error;
    context.warn(`Unable to find image '${body.Image}' locally\n`);
    await pullImage(context, body.Image, platform);
    return create();
  }
}

/** Its words are no data: they go where warnings go. */
async function pullImage(context: Context, image: string, platform?: string): Promise<void> {
  const { name, tag } = splitTag(image);
  const query = { fromImage: name, tag, platform };
  const stream = await context
    .client()
    .postForStream("/images/create", undefined, { query, headers: authHeader(image) });
  await showTransfer({ ...context, print: context.warn }, stream);
}
