import type { ErrorCode } from "../../core/errors.ts";
import type { Meta } from "../../proto/gen/objects.ts";
import { type Change, Change_Action, type Transaction } from "../../proto/gen/store.ts";
import { UPDATE_FIELDS } from "./changes.ts";
import { firstStatus, mergeTask } from "./merge-task.ts";
import {
  type AnyObject,
  type Kind,
  keyOf,
  missingPart,
  nameOf,
  type StoredByKind,
} from "./objects.ts";
import { findConflict, findRemovalConflict } from "./rules.ts";
import type { Tables } from "./tables.ts";

/** What a proposer gets: the transaction's log index and each change's object as stored, or why nothing changed. */
export type ApplyResult = Applied | Refused;

/** The whole transaction is in the store. */
export interface Applied {
  readonly ok: true;
  readonly index: number;
  /** One for each change, in order; undefined for what was removed or passed over. */
  readonly objects: readonly (StoredByKind[Kind] | undefined)[];
}

/** None of the transaction is in the store. */
export interface Refused {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
}

/** One object's change as watchers see it; `before` and `after` are not both undefined. */
export type StoreEvent = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly index: number;
    /** When it was proposed, by the wall clock of whoever proposed it. */
    readonly atMs: number;
    readonly before: StoredByKind[K] | undefined;
    readonly after: StoredByKind[K] | undefined;
  };
}[Kind];

/** What applying one transaction gives. */
export interface Outcome {
  readonly result: ApplyResult;
  readonly events: readonly StoreEvent[];
}

/**
 * Applies a transaction whole or not at all. Deterministic: the same tables, index and transaction give the same
 * tables and result on every manager.
 */
export function applyTransaction(tables: Tables, index: number, transaction: Transaction): Outcome {
  const events: StoreEvent[] = [];
  const objects: (StoredByKind[Kind] | undefined)[] = [];
  for (const change of transaction.changes) {
    const step = applyChange(tables, change, { index, nowMs: transaction.nowMs });
    if ("code" in step) {
      for (const event of events.reverse()) revert(tables, event);
      return { result: step, events: [] };
    }
    if (step.event !== undefined) events.push(step.event);
    objects.push(step.object);
  }
  return { result: { ok: true, index, objects }, events };
}

interface Context {
  readonly index: number;
  readonly nowMs: number;
}

interface Step {
  readonly event: StoreEvent | undefined;
  readonly object: StoredByKind[Kind] | undefined;
}

function applyChange(tables: Tables, change: Change, context: Context): Step | Refused {
  const object = change.object?.kind;
  if (object === undefined) return refuse("InvalidArgument", "cannot change an object of no kind");
  const before = tables.of<Kind>(object.$case).get(keyOf(object));

  if (change.action === Change_Action.CREATE) {
    if (before !== undefined) return refuse("AlreadyExists", `${describe(object)} exists already`);
    return write(tables, { object, before, after: created(object, context) }, context);
  }
  if (before === undefined) {
    if (change.skipIfAbsent === true) return { event: undefined, object: undefined };
    return refuse("NotFound", `${describe(object)} not found`);
  }
  if (change.ifVersion !== undefined && change.ifVersion !== versionOf(before)) {
    // Docker's clients know this text.
    return refuse("Aborted", "update out of sequence");
  }
  if (change.action === Change_Action.REMOVE) {
    return write(tables, { object, before, after: undefined }, context);
  }
  if (change.action === Change_Action.UPDATE) {
    const unknown = change.fields.find((name) => !fieldsOf(object.$case).includes(name));
    if (unknown !== undefined || object.$case === "revision") {
      return refuse(
        "InvalidArgument",
        `cannot update ${unknown ?? "a revision"} of ${describe(object)}`,
      );
    }
    return write(
      tables,
      { object, before, after: updated(before, object, change, context) },
      context,
    );
  }
  return refuse("InvalidArgument", `unknown action ${change.action} on ${describe(object)}`);
}

interface Write {
  readonly object: AnyObject;
  readonly before: StoredByKind[Kind] | undefined;
  readonly after: AnyObject | undefined;
}

/** Puts the object into its table unless a rule forbids it. */
function write(tables: Tables, { object, before, after }: Write, context: Context): Step | Refused {
  if (after === undefined) {
    const conflict = before && findRemovalConflict(tables, object.$case, before);
    if (conflict !== undefined) return refuse(conflict.code, conflict.message);
    tables.of<Kind>(object.$case).delete(keyOf(object));
    return { event: event(object.$case, context, before, undefined), object: undefined };
  }
  if (after.value === before) return { event: undefined, object: before };
  const missing = missingPart(after);
  if (missing !== undefined) {
    return refuse("InvalidArgument", `${describe(after)} has no ${missing}`);
  }
  const conflict = findConflict(tables, after, before);
  if (conflict !== undefined) return refuse(conflict.code, conflict.message);
  // `missingPart` has just shown it to be whole.
  const stored = after.value as StoredByKind[Kind];
  tables.of<Kind>(after.$case).put(stored);
  return { event: event(after.$case, context, before, stored), object: stored };
}

function created(object: AnyObject, { index, nowMs }: Context): AnyObject {
  const meta: Meta = { version: index, createdAtMs: nowMs, updatedAtMs: nowMs };
  switch (object.$case) {
    case "revision":
      return { $case: "revision", value: { ...object.value, createdAtMs: nowMs } };
    case "task": {
      const status = firstStatus(object.value.status, nowMs);
      return { $case: "task", value: { ...object.value, meta, status } };
    }
    case "node": {
      const status = object.value.status ?? { state: 0, message: "", addr: "" };
      return { $case: "node", value: { ...object.value, meta, status } };
    }
    default:
      return { ...object, value: { ...object.value, meta } } as AnyObject;
  }
}

function updated(
  before: StoredByKind[Kind],
  object: AnyObject,
  change: Change,
  { index, nowMs }: Context,
): AnyObject {
  const next = { ...before, ...picked(object, change.fields) };
  if (object.$case === "task") {
    const task = before as StoredByKind["task"];
    return { $case: "task", value: mergeTask(task, next as StoredByKind["task"], nowMs) };
  }
  const old = "meta" in before ? before.meta : undefined;
  const meta: Meta = {
    version: change.bumpVersion ? index : versionOf(before),
    createdAtMs: old?.createdAtMs ?? nowMs,
    updatedAtMs: nowMs,
  };
  return { $case: object.$case, value: { ...next, meta } } as AnyObject;
}

/** The properties an update takes over: those it names, else all that may be updated. */
function picked(object: AnyObject, fields: readonly string[]): Record<string, unknown> {
  const names = fields.length > 0 ? fields : fieldsOf(object.$case);
  const values: Record<string, unknown> = { ...object.value };
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}

function fieldsOf(kind: Kind): readonly string[] {
  return UPDATE_FIELDS[kind];
}

function versionOf(object: StoredByKind[Kind]): number {
  return "meta" in object ? object.meta.version : 0;
}

function revert(tables: Tables, { kind, before, after }: StoreEvent): void {
  if (before !== undefined) tables.of<Kind>(kind).put(before);
  else if (after !== undefined) {
    tables.of<Kind>(kind).delete(keyOf({ $case: kind, value: after } as AnyObject));
  }
}

function event(
  kind: Kind,
  { index, nowMs: atMs }: Context,
  before: StoredByKind[Kind] | undefined,
  after: StoredByKind[Kind] | undefined,
): StoreEvent {
  return { kind, index, atMs, before, after } as StoreEvent;
}

function refuse(code: ErrorCode, message: string): Refused {
  return { ok: false, code, message };
}

function describe(object: AnyObject): string {
  return `${object.$case} ${nameOf(object)}`;
}
