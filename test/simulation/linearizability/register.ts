import type { Model, Operation } from "./checker.ts";

/** What clients do with one of many registers, each under a key. */
export type RegisterOp =
  | { readonly kind: "write"; readonly key: string; readonly value: string }
  | {
      readonly kind: "read";
      readonly key: string;
      /** Undefined while nobody knows. */
      readonly value: string | undefined;
    };

/** Registers that are empty at first. */
export const REGISTERS: Model<string, RegisterOp> = {
  initial: "",
  partOf: ({ key }) => key,
  step: (state, op) => {
    if (op.kind === "write") return op.value;
    return op.value === undefined || op.value === state ? state : undefined;
  },
  keyOf: (state) => state,
};

/**
 * The same question with less to search, for histories whose values are all different. What nobody heard of and nobody read
 * is left out: no order that explains the rest needs it. A write nobody heard of that was read has taken effect by the end
 * of the first read that saw it.
 */
export function narrowed(history: readonly Operation<RegisterOp>[]): Operation<RegisterOp>[] {
  const seenBy = new Map<string, number>();
  for (const { op, returnedAt } of history) {
    if (op.kind !== "read" || op.value === undefined) continue;
    seenBy.set(op.value, Math.min(returnedAt, seenBy.get(op.value) ?? returnedAt));
  }
  const kept: Operation<RegisterOp>[] = [];
  for (const operation of history) {
    const { op, returnedAt } = operation;
    const seenAt = op.kind === "write" ? seenBy.get(op.value) : undefined;
    const isHeard = returnedAt !== Number.POSITIVE_INFINITY;
    if (isHeard) kept.push(operation);
    else if (seenAt !== undefined) kept.push({ ...operation, returnedAt: seenAt });
  }
  return kept;
}
