import type { ErrorCode } from "../../core/errors.ts";
import type { Sandbox } from "../network/types.ts";
import type { AssignedTask, EffectKind, ObservedContainer } from "./task-model.ts";

/** Something that became known about one task. */
export type TaskEvent =
  /** The managers' wish, new or changed. */
  | { readonly kind: "assigned"; readonly assignment: AssignedTask }
  /** The managers' set no longer has it. */
  | { readonly kind: "unwanted" }
  /** Its container changed by itself: ended, or a health check spoke. */
  | { readonly kind: "container"; readonly container: ObservedContainer }
  | { readonly kind: "containerGone" }
  | { readonly kind: "done"; readonly result: EffectResult }
  | { readonly kind: "failed"; readonly failure: EffectFailure }
  /** A time the task waited for may have come. */
  | { readonly kind: "wake" };

/** What an effect that succeeded made known. */
export type EffectResult =
  | { readonly effect: "pull" | "removeContainer" | "removeSandbox" }
  | { readonly effect: "createSandbox"; readonly sandbox: Sandbox }
  | {
      readonly effect: "createContainer" | "startContainer" | "stopContainer";
      readonly container: ObservedContainer;
    };

export interface EffectFailure {
  readonly effect: EffectKind;
  readonly code: ErrorCode;
  readonly message: string;
  /** In [0, 1): spreads the retries of many tasks. */
  readonly jitter: number;
}
