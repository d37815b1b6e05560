import { Allocator } from "../../../manager/allocator/allocator.ts";
import { Proposals } from "../../../manager/dispatcher/proposals.ts";
import { Orchestrator } from "../../../manager/orchestrator/orchestrator.ts";
import { Reaper } from "../../../manager/reaper/reaper.ts";
import type { Plan, Planner } from "../../../manager/reconcile/planner.ts";
import { Scheduler } from "../../../manager/scheduler/scheduler.ts";
import type { View } from "../../../manager/store/tables.ts";
import { type Task, TaskState } from "../../../proto/gen/objects.ts";
import { type Change, Change_Action } from "../../../proto/gen/store.ts";

/** What one component may do to tasks. Absent: nothing of it. */
interface Rights {
  /** States it may make a task in. */
  readonly create?: readonly TaskState[];
  /** States tasks may have when it forgets them. */
  readonly remove?: (task: Task) => boolean;
  /** Desired states it may ask for. */
  readonly desires?: readonly TaskState[];
  /** From which states of the status to which. */
  readonly moves?: readonly (readonly [from: readonly TaskState[], to: readonly TaskState[]])[];
  readonly places?: true;
  readonly addresses?: true;
}

const NEW = TaskState.NEW;
const WITH_WORKER = [
  TaskState.ASSIGNED,
  TaskState.ACCEPTED,
  TaskState.PREPARING,
  TaskState.READY,
  TaskState.STARTING,
  TaskState.RUNNING,
];
const ENDED = [TaskState.COMPLETE, TaskState.SHUTDOWN, TaskState.FAILED, TaskState.REJECTED];
const UNPLACED = [NEW, TaskState.PENDING];

/**
 * The table of task transitions: who may move a task from where to where. Statuses rise towards a worker by the managers'
 * hands and from there by the worker's; desired states are the orchestrator's alone.
 *
 * Source: swarmkit, design/task_model.md.
 */
export const RIGHTS = {
  orchestrator: {
    create: [NEW],
    desires: [TaskState.READY, TaskState.RUNNING, TaskState.SHUTDOWN, TaskState.REMOVE],
  },
  allocator: { moves: [[[NEW], [NEW, TaskState.PENDING]]], addresses: true },
  scheduler: {
    moves: [[[TaskState.PENDING], [TaskState.PENDING, TaskState.ASSIGNED]]],
    places: true,
  },
  dispatcher: {
    moves: [
      [WITH_WORKER, [...WITH_WORKER.slice(1), ...ENDED]],
      [WITH_WORKER, [TaskState.ORPHANED]],
    ],
  },
  reaper: {
    remove: ({ desiredState, status }) =>
      desiredState > TaskState.RUNNING || (status?.state ?? NEW) > TaskState.RUNNING,
    moves: [
      [UNPLACED, [TaskState.SHUTDOWN]],
      [WITH_WORKER, [TaskState.ORPHANED]],
    ],
  },
} satisfies Record<string, Rights>;

export type Component = keyof typeof RIGHTS;

/** Why a component may not make this change of a task; undefined when it may. */
export function forbidden(component: Component, change: Change, view: View): string | undefined {
  const object = change.object?.kind;
  if (object?.$case !== "task") return undefined;
  const rights: Rights = RIGHTS[component];
  const next = object.value;
  const before = view.tasks.get(next.id);
  if (change.action === Change_Action.CREATE) {
    const state = next.status?.state ?? NEW;
    return rights.create?.includes(state) === true ? undefined : `makes one in state ${state}`;
  }
  if (before === undefined) return undefined;
  if (change.action === Change_Action.REMOVE) {
    if (rights.remove?.(before) === true) return undefined;
    return `forgets one that is ${stateName(before.status.state)} and is to be ${stateName(before.desiredState)}`;
  }
  const changes = (field: string) => change.fields.length === 0 || change.fields.includes(field);
  if (changes("desiredState") && rights.desires?.includes(next.desiredState) !== true) {
    return `wants it to be ${stateName(next.desiredState)}`;
  }
  if (changes("nodeId") && rights.places !== true) return "places it";
  if (changes("networks") && rights.addresses !== true) return "gives it addresses";
  if (!changes("status") || next.status === undefined) return undefined;
  const [from, to] = [before.status.state, next.status.state];
  // One that the store will not take, as the task has moved on: statuses only rise.
  if (to < from) return undefined;
  // Other words for the same: a worker that forgot in a crash what it had said.
  if (to === from && component === "dispatcher") return undefined;
  const may = rights.moves?.some(([froms, tos]) => froms.includes(from) && tos.includes(to));
  return may === true ? undefined : `moves it from ${stateName(from)} to ${stateName(to)}`;
}

/** As people write it: `RUNNING`. */
export function stateName(state: TaskState): string {
  return Object.entries(TaskState).find(([, value]) => value === state)?.[0] ?? String(state);
}

/** What the tap is told of: the changes somebody is about to propose, and the state they were decided on. */
export type OnProposed = (component: Component, changes: readonly Change[], view: View) => void;

const PLANNERS: readonly [Component, { readonly prototype: Planner }][] = [
  ["orchestrator", Orchestrator],
  ["allocator", Allocator],
  ["scheduler", Scheduler],
  ["reaper", Reaper],
];

/** Tells `onProposed` of every change of every component of this process; the returned function ends that. */
export function observeProposals(
  onProposed: OnProposed,
  viewOf: (proposals: Proposals) => View | undefined,
): () => void {
  const ends: (() => void)[] = [];
  for (const [component, { prototype }] of PLANNERS) {
    const { plan } = prototype;
    prototype.plan = function observed(this: Planner, view: View, nowMs: number): Plan {
      const made = plan.call(this, view, nowMs);
      onProposed(component, made.groups.flat(), view);
      return made;
    };
    ends.push(() => {
      prototype.plan = plan;
    });
  }
  const { report } = Proposals.prototype;
  Proposals.prototype.report = function observed(this: Proposals, changes, onDone): void {
    const view = viewOf(this);
    if (view !== undefined) onProposed("dispatcher", changes, view);
    report.call(this, changes, onDone);
  };
  ends.push(() => {
    Proposals.prototype.report = report;
  });
  return () => {
    for (const end of ends) end();
  };
}
