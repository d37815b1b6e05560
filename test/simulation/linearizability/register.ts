import type { Model } from "./checker.ts";

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
