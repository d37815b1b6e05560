import { readdirSync } from "node:fs";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

const GENERATED = new URL("../../proto/gen/", import.meta.url);

/** Every method of every service in proto/, however many there are by now. */
export async function allRpcMethods(): Promise<MethodDefinition<unknown, unknown>[]> {
  const modules = await Promise.all(
    readdirSync(GENERATED)
      .filter((file) => file.endsWith(".ts"))
      .map((file) => import(new URL(file, GENERATED).href) as Promise<Record<string, unknown>>),
  );
  const services = modules
    .flatMap((module) => Object.entries(module))
    .filter(([name, value]) => name.endsWith("Service") && isService(value))
    .map(([, value]) => value as ServiceDefinition);
  return services.flatMap((service) => Object.values(service));
}

function isService(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const methods = Object.values(value);
  return methods.length > 0 && methods.every((method) => "requestDeserialize" in method);
}
