import type { Model } from "../linearizability/checker.ts";

/**
 * What clients do with services by name. Each content of a service has a tag of its own. `heard` is what the client was
 * told; absent while nobody knows.
 */
export type ServiceOp =
  | {
      readonly kind: "create";
      readonly name: string;
      readonly tag: string;
      readonly heard?: "done" | "exists";
    }
  | {
      readonly kind: "update";
      readonly name: string;
      /** What it takes the place of: the version in the request is that of this content. */
      readonly expected: string;
      readonly tag: string;
      readonly heard?: "done" | "outOfSequence";
    }
  | { readonly kind: "remove"; readonly name: string; readonly heard?: "done" | "notFound" }
  | { readonly kind: "read"; readonly name: string; readonly heard?: string };

/** The content of a service that is not there. */
export const ABSENT = "";

/** A service is absent, or has the content of one tag. */
export const NAMED_SERVICES: Model<string, ServiceOp> = {
  initial: ABSENT,
  partOf: ({ name }) => name,
  step: (state, op) => {
    switch (op.kind) {
      case "create":
        if (op.heard === undefined) return state === ABSENT ? op.tag : state;
        if (op.heard === "done") return state === ABSENT ? op.tag : undefined;
        return state === ABSENT ? undefined : state;
      case "update":
        if (op.heard === undefined) return state === op.expected ? op.tag : state;
        if (op.heard === "done") return state === op.expected ? op.tag : undefined;
        return state === op.expected ? undefined : state;
      case "remove":
        if (op.heard === "notFound") return state === ABSENT ? state : undefined;
        if (op.heard === "done") return state === ABSENT ? undefined : ABSENT;
        return ABSENT;
      case "read":
        return op.heard === undefined || op.heard === state ? state : undefined;
    }
  },
  keyOf: (state) => state,
};
