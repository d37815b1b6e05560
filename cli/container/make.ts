import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { ClusterError, errorMessage } from "../../core/errors.ts";
import { isOlder } from "../client/api-version.ts";
import type { Client } from "../client/client.ts";
import { authHeader } from "../client/registry-auth.ts";
import { proxyVariables, userSettings } from "../client/user-settings.ts";
import { silenced } from "../commands/image/pull.ts";
import { splitTag } from "../commands/image/ref.ts";
import type { Context } from "../context.ts";
import { showTransfer } from "../output/transfer.ts";
import { requireVersion } from "../words/flag-versions.ts";
import { append, type ContainerBody } from "./body.ts";
import { findMacAddress, findNeeds } from "./body-version.ts";

const ID_FILE_MODE = 0o644;
/** The API version from which on each network of a container has a hardware address of its own. */
const OWN_MAC_ADDRESSES = "1.44";

/** What is asked for beside the container itself. */
export interface MakeOptions {
  readonly name?: string;
  readonly platform?: string;
  /** When its image is pulled. */
  readonly pull: string;
  /** Without progress. */
  readonly quiet?: boolean;
  /** Where its id is written; a file that is not there. */
  readonly cidfile?: string;
}

/** Makes a container, and pulls its image first where that is missing or asked for. @returns its id. */
export async function makeContainer(
  context: Context,
  body: ContainerBody,
  options: MakeOptions,
): Promise<string> {
  const { cidfile } = options;
  const { Env = [] } = body as { Env?: readonly string[] };
  const proxies = proxyVariables(userSettings(context), context.client().host, Env);
  if (proxies.length > 0) append(body, "Env", ...proxies);
  await fitToDaemon(context.client(), body);
  if (cidfile === undefined) return make(context, body, options);
  const file = openIdFile(cidfile);
  try {
    const id = await make(context, body, options);
    writeSync(file, id);
    return id;
  } catch (error) {
    rmSync(cidfile, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** @throws {ClusterError} `Unimplemented` where an older daemon would drop something of it without a word. */
async function fitToDaemon(client: Client, body: ContainerBody): Promise<void> {
  for (const { thing, version } of findNeeds(body)) await requireVersion(client, version, thing);
  const address = findMacAddress(body);
  if (address !== undefined && isOlder(await client.agreeOnVersion(), OWN_MAC_ADDRESSES))
    body.MacAddress = address;
}

/** Before anything is made: an id that cannot be written is a container nobody knows. @throws {ClusterError} */
function openIdFile(path: string): number {
  try {
    return openSync(path, "wx", ID_FILE_MODE);
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === "EEXIST";
    const why = isThere
      ? `container ID file found, make sure the other container isn't running or delete ${path}`
      : `failed to create the container ID file: ${errorMessage(cause)}`;
    throw new ClusterError("InvalidArgument", why, { cause });
  }
}

async function make(
  context: Context,
  body: ContainerBody,
  { name, platform, pull, quiet = false }: MakeOptions,
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
  const pullIt = () => pullImage(quiet ? silenced(context) : context, body.Image, platform);
  if (pull === "always") await pullIt();
  try {
    return await create();
  } catch (error) {
    const isMissing = error instanceof ClusterError && error.code === "NotFound";
    if (!isMissing || pull !== "missing") throw error;
    if (!quiet) context.warn(`Unable to find image '${whole(body.Image)}' locally\n`);
    await pullIt();
    return create();
  }
}

/** As Docker names it: with the tag that is meant. */
function whole(image: string): string {
  const { name, tag } = splitTag(image);
  return image.includes("@") ? image : `${name}:${tag}`;
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
