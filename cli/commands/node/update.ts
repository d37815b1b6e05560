import { type Command, Option } from "commander";
import { ClusterError } from "../../../core/errors.ts";
import type { WireNode } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { collect } from "../../flags/filters.ts";
import { splitPair } from "../../flags/parse.ts";
import { forEachRef } from "../inspect.ts";
import { getNode } from "./inspect.ts";

type NodeSpec = WireNode["Spec"];

interface UpdateOptions {
  readonly availability?: string;
  readonly role?: string;
  readonly labelAdd?: string[];
  readonly labelRm?: string[];
  readonly force?: boolean;
}

export function addNodeUpdate(parent: Command, context: Context): void {
  parent
    .command("update")
    .description("Change a node")
    .argument("<node>", "Id or host name, or self")
    .addOption(
      new Option("--availability <word>", "active, pause or drain").choices([
        "active",
        "pause",
        "drain",
      ]),
    )
    .addOption(new Option("--role <role>", "worker or manager").choices(["worker", "manager"]))
    .option("--label-add <key=value>", "Add or change a label", collect)
    .option("--label-rm <key>", "Remove a label", collect)
    .addOption(forceOption())
    .action(async (ref: string, options: UpdateOptions) => {
      await updateNode(context, ref, (spec) => amend(spec, options), options.force);
      context.print(`${ref}\n`);
    });
}

export function addNodePromote(parent: Command, context: Context): void {
  addRoleCommand(parent, context, {
    name: "promote",
    role: "manager",
    done: "promoted to a manager in the swarm.",
  });
}

export function addNodeDemote(parent: Command, context: Context): void {
  addRoleCommand(parent, context, {
    name: "demote",
    role: "worker",
    done: "demoted in the swarm.",
  });
}

function addRoleCommand(
  parent: Command,
  context: Context,
  { name, role, done }: { name: string; role: string; done: string },
): void {
  const command = parent
    .command(name)
    .description(`Make nodes ${role}s`)
    .argument("<node...>", "Ids or host names");
  if (name === "demote") command.addOption(forceOption());
  command.action(async (refs: string[], { force }: { force?: boolean }) => {
    await forEachRef(context, refs, async (ref) => {
      const before = await updateNode(context, ref, (spec) => ({ ...spec, Role: role }), force);
      return before.Role === role ? `Node ${ref} is already a ${role}.` : `Node ${ref} ${done}`;
    });
  });
}

function forceOption(): Option {
  return new Option("-f, --force", "Demote even if the managers left are no majority that answers");
}

/** @returns the spec as it was. */
async function updateNode(
  context: Context,
  ref: string,
  change: (spec: NodeSpec) => NodeSpec,
  force = false,
): Promise<NodeSpec> {
  const node = await getNode(context, ref);
  await context.client().post(`/nodes/${node.ID}/update`, change(node.Spec), {
    version: node.Version.Index,
    force,
  });
  return node.Spec;
}

function amend(
  spec: NodeSpec,
  { availability, role, labelAdd = [], labelRm = [] }: UpdateOptions,
): NodeSpec {
  const labels = spec.Labels ?? {};
  const unknown = labelRm.find((key) => !Object.hasOwn(labels, key));
  if (unknown !== undefined) {
    // Docker's words.
    throw new ClusterError("NotFound", `key ${unknown} doesn't exist in node's labels`);
  }
  const kept = Object.entries(labels).filter(([key]) => !labelRm.includes(key));
  return {
    ...spec,
    Availability: availability ?? spec.Availability,
    Role: role ?? spec.Role,
    Labels: Object.fromEntries([...kept, ...labelAdd.map(splitPair)]),
  };
}
