import type { Command } from "commander";
import type { WirePayload } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";

interface InspectOptions {
  readonly format?: string;
  readonly pretty?: boolean;
}

export function addConfigInspect(parent: Command, context: Context): void {
  addInspect(parent, context, "config");
}

export function addSecretInspect(parent: Command, context: Context): void {
  addInspect(parent, context, "secret");
}

function addInspect(parent: Command, context: Context, kind: "config" | "secret"): void {
  parent
    .command("inspect")
    .description(`Show ${kind}s in detail`)
    .argument(`<${kind}...>`, "Names or ids")
    .option("-f, --format <template>", "Go template")
    .option("--pretty", "For people")
    .action(async (refs: string[], { format, pretty }: InspectOptions) => {
      const render =
        pretty === true ? (object: unknown) => prettyPayload(object as WirePayload) : undefined;
      await inspectAll(context, refs, { format, pretty: render }, async (ref) =>
        context.client().get<WirePayload>(`/${kind}s/${encodeURIComponent(ref)}`),
      );
    });
}

function prettyPayload({ ID, Spec, CreatedAt, UpdatedAt }: WirePayload): string {
  const labels = Object.entries(Spec.Labels ?? {});
  return [
    `ID:\t\t\t${ID}`,
    `Name:\t\t\t${Spec.Name}`,
    ...(labels.length > 0 ? ["Labels:"] : []),
    ...labels.map(([key, value]) => ` - ${key}${value === "" ? "" : `=${value}`}`),
    `Created at:\t\t${CreatedAt}`,
    `Updated at:\t\t${UpdatedAt}`,
    ...(Spec.Data === undefined
      ? []
      : ["Data:", Buffer.from(Spec.Data, "base64").toString("utf8")]),
  ].join("\n");
}
