import type { Pair } from "../../../core/shell-words/words.ts";

/** A line for a shell, or the words of a program and its arguments. */
export interface CommandLine {
  readonly words: readonly string[];
  /** One word, which a shell reads. */
  readonly isShell: boolean;
}

/** A text that stands in the Dockerfile and becomes a file. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  readonly expands: boolean;
}

/** A program's check; zero: the default. */
export interface HealthcheckFlags {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

export interface CopyInstruction {
  readonly kind: "copy" | "add";
  readonly sources: readonly string[];
  readonly inlineFiles: readonly InlineFile[];
  readonly target: string;
  /** A stage's name or number, or an image; empty: the context. */
  readonly from: string;
  /** Empty: root's, and with `from` as they are there. */
  readonly chown: string;
  /** Octal; empty: as they are. */
  readonly chmod: string;
}

/** One instruction after FROM. Texts are not expanded yet. */
export type Step =
  | CopyInstruction
  | { readonly kind: "env"; readonly pairs: readonly Pair[] }
  /** @property isLiteral its variables are none: it came from the command line. */
  | { readonly kind: "label"; readonly pairs: readonly Pair[]; readonly isLiteral: boolean }
  | { readonly kind: "maintainer"; readonly text: string }
  /** @property heredocs texts for the shell, or alone a program. */
  | {
      readonly kind: "run";
      readonly command: CommandLine;
      readonly heredocs: readonly RunHeredoc[];
    }
  | { readonly kind: "cmd"; readonly command: CommandLine }
  | { readonly kind: "entrypoint"; readonly command: CommandLine }
  | { readonly kind: "shell"; readonly words: readonly string[] }
  | { readonly kind: "workdir"; readonly path: string }
  | { readonly kind: "user"; readonly user: string }
  | { readonly kind: "volume"; readonly paths: readonly string[] }
  | { readonly kind: "expose"; readonly ports: readonly string[] }
  | { readonly kind: "stopsignal"; readonly signal: string }
  /** @property test its words with `CMD`, `CMD-SHELL` or `NONE` before them. */
  | {
      readonly kind: "healthcheck";
      readonly test: readonly string[];
      readonly flags: HealthcheckFlags;
    }
  | { readonly kind: "arg"; readonly args: readonly BuildArg[] }
  /** @property expression the instruction that is to be carried out later. */
  | { readonly kind: "onbuild"; readonly expression: string };

/** A heredoc of RUN: as a shell wants it, and as it is meant. */
export interface RunHeredoc {
  readonly name: string;
  /** With its tabs. */
  readonly content: string;
  readonly text: string;
}

/** A name, and what it is when nobody says. */
export interface BuildArg {
  readonly name: string;
  readonly value: string | undefined;
}

/** A step and how it is written, without its heredocs. */
export interface WrittenStep {
  readonly step: Step;
  readonly code: string;
}

/** From a FROM to the next. */
export interface Stage {
  /** Lower case; empty: none. */
  readonly name: string;
  /** An image, a stage, or `scratch`; not expanded. */
  readonly base: string;
  /** Not expanded; empty: this machine's. */
  readonly platform: string;
  readonly code: string;
  readonly steps: readonly WrittenStep[];
}

/** A whole Dockerfile. */
export interface Dockerfile {
  readonly escapeSign: string;
  /** ARGs before the first FROM. */
  readonly metaArgs: readonly { readonly args: readonly BuildArg[]; readonly code: string }[];
  /** At least one. */
  readonly stages: readonly Stage[];
  /** What is heard but does not stop a build. */
  readonly warnings: readonly string[];
}
