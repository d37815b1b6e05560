import type { Command } from "commander";
import type { WireService } from "../../client/wire.ts";
import type { Context } from "../../context.ts";
import { inspectAll } from "../inspect.ts";
import { getService } from "./create.ts";

export function addServiceInspect(parent: Command, context: Context): void {
  parent
    .command("inspect")
    .description("Show services in detail")
    .argument("<service...>", "Names or ids")
    .option("-f, --format <template>", "Go template")
    .option("--pretty", "For people")
    .action(async (refs: string[], options: { format?: string; pretty?: boolean }) => {
      const pretty =
        options.pretty === true
          ? (object: unknown) => prettyService(object as WireService)
          : undefined;
      await inspectAll(context, refs, { format: options.format, pretty }, (ref) =>
        getService(context, ref),
      );
    });
}

function prettyService({ ID, Spec, Endpoint, UpdateStatus }: WireService): string {
  const container = Spec.TaskTemplate.ContainerSpec;
  const replicas = Spec.Mode.Replicated?.Replicas;
  const ports = (Endpoint?.Ports ?? []).map((port) => {
    return ` PublishedPort = ${port.PublishedPort ?? 0}\n  Protocol = ${port.Protocol}\n  TargetPort = ${port.TargetPort}\n  PublishMode = ${port.PublishMode}`;
  });
  const update =
    UpdateStatus?.State === undefined
      ? []
      : [
          "UpdateStatus:",
          ` State:\t\t${UpdateStatus.State}`,
          ` Message:\t${UpdateStatus.Message ?? ""}`,
        ];
  return [
    "",
    `ID:\t\t${ID}`,
    `Name:\t\t${Spec.Name}`,
    ...Object.entries(Spec.Labels ?? {}).map(([key, value]) => `Label:\t\t${key}=${value}`),
    `Service Mode:\t${replicas === undefined ? "Global" : "Replicated"}`,
    ...(replicas === undefined ? [] : [` Replicas:\t${replicas}`]),
    ...update,
    "ContainerSpec:",
    ` Image:\t\t${container.Image}`,
    ...(Array.isArray(container.Args) ? [` Args:\t\t${container.Args.join(" ")}`] : []),
    ...(Array.isArray(container.Env) ? [` Env:\t\t${container.Env.join(" ")}`] : []),
    `Endpoint Mode:\t${Spec.EndpointSpec?.Mode ?? "vip"}`,
    ...(ports.length > 0 ? ["Ports:", ...ports] : []),
  ].join("\n");
}
