import {
  type Placement,
  type Resources,
  type RestartPolicy,
  RestartPolicy_Condition,
  type TaskSpec,
} from "../../../proto/gen/objects.ts";
import { checkConstraints } from "../../scheduler/constraints.ts";
import { checkContainer } from "./container-spec.ts";
import { checkCount, checkDuration, checkKnown, findDuplicate, refuse } from "./refuse.ts";

/** A thousandth of a CPU: less than that cannot be accounted for. */
const NANO_CPUS_MIN = 1e6;
const NANO_CPUS_MAX = 1e6 * 1e9;
const MEMORY_BYTES_MIN = 4 * 1024 * 1024;
const MEMORY_BYTES_MAX = 2 ** 50;
/** The kernel's own bound. */
const PIDS_MAX = 2 ** 22;
const NETWORKS_MAX = 64;
const CONSTRAINTS_MAX = 64;
const ATTEMPTS_MAX = 1_000_000;

/** @throws {ClusterError} `InvalidArgument` naming the first thing that cannot be. */
export function checkTaskSpec(task: TaskSpec | undefined): TaskSpec {
  if (task?.container === undefined) refuse("TaskSpec: missing runtime");
  checkContainer(task.container);
  checkResources("limits", task.resources?.limits);
  checkResources("reservations", task.resources?.reservations);
  checkLimitsHold(task.resources?.limits, task.resources?.reservations);
  checkRestart(task.restart);
  checkPlacement(task.placement);
  checkCount("force-update", task.forceUpdate, { max: Number.MAX_SAFE_INTEGER });
  if (task.networks.length > NETWORKS_MAX) {
    refuse(`a service may attach to at most ${NETWORKS_MAX} networks`);
  }
  return task;
}

/** Source: swarmkit, manager/controlapi/service.go, validateResources; bounds at the top are ours. */
function checkResources(which: string, resources: Resources | undefined): void {
  if (resources === undefined) return;
  const { nanoCpus, memoryBytes, pids } = resources;
  if (nanoCpus !== 0 && !(nanoCpus >= NANO_CPUS_MIN && nanoCpus <= NANO_CPUS_MAX)) {
    refuse(
      `invalid cpu value ${nanoCpus / 1e9} in ${which}: Must be at least ${NANO_CPUS_MIN / 1e9} and at most ${NANO_CPUS_MAX / 1e9}`,
    );
  }
  if (memoryBytes !== 0 && !(memoryBytes >= MEMORY_BYTES_MIN && memoryBytes <= MEMORY_BYTES_MAX)) {
    refuse(
      `invalid memory value ${memoryBytes} in ${which}: Must be at least 4MiB and at most 1PiB`,
    );
  }
  checkCount(`pids in ${which}`, pids, { max: PIDS_MAX });
}

function checkLimitsHold(limits: Resources | undefined, reserved: Resources | undefined): void {
  if (limits === undefined || reserved === undefined) return;
  if (limits.nanoCpus !== 0 && reserved.nanoCpus > limits.nanoCpus) {
    refuse("cpu reservation must not be more than the cpu limit");
  }
  if (limits.memoryBytes !== 0 && reserved.memoryBytes > limits.memoryBytes) {
    refuse("memory reservation must not be more than the memory limit");
  }
}

function checkRestart(restart: RestartPolicy | undefined): void {
  if (restart === undefined) return;
  checkKnown("TaskSpec: restart-condition", restart.condition, RestartPolicy_Condition);
  checkDuration("TaskSpec: restart-delay", restart.delayNs);
  checkDuration("TaskSpec: restart-window", restart.windowNs);
  checkCount("TaskSpec: restart-max-attempts", restart.maxAttempts ?? 0, { max: ATTEMPTS_MAX });
}

function checkPlacement(placement: Placement | undefined): void {
  if (placement === undefined) return;
  checkCount("max replicas per node", placement.maxReplicas, { max: Number.MAX_SAFE_INTEGER });
  for (const list of [placement.constraints, placement.spread, placement.platforms]) {
    if (list.length > CONSTRAINTS_MAX) {
      refuse(
        `placement may have at most ${CONSTRAINTS_MAX} constraints, preferences and platforms each`,
      );
    }
  }
  checkConstraints(placement.constraints);
  const twice = findDuplicate(placement.spread);
  if (twice !== undefined) refuse(`placement preference ${twice} is given twice`);
}
