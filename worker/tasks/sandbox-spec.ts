import type { SandboxSpec } from "../network/types.ts";
import type { AssignedTask } from "./task-model.ts";

/** The network a task is to live in. The same for the same task at every call: a restarted daemon asks again. */
export function sandboxSpec(assignment: AssignedTask): SandboxSpec {
  const { task, spec, revision } = assignment;
  const { dnsConfig, hostname } = spec.container ?? {};
  return {
    id: task.id,
    hostname: hostname ?? "",
    attachments: task.networks,
    hostPorts: revision.hostPorts,
    dns: {
      nameservers: dnsConfig?.nameservers ?? [],
      search: dnsConfig?.search ?? [],
      options: dnsConfig?.options ?? [],
    },
  };
}
