import type { Random } from "../../core/random.ts";
import { Allocator } from "../allocator/allocator.ts";
import { Orchestrator } from "../orchestrator/orchestrator.ts";
import { Reaper } from "../reaper/reaper.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import type { Planner } from "./planner.ts";

/** All planners of the cluster in the order in which they build on each other; new ones for each manager. */
export function allPlanners(random: Random): readonly Planner[] {
  return [new Orchestrator(random), new Allocator(), new Scheduler(), new Reaper()];
}
