import type { Lookup } from "../../../core/shell-words/expand.ts";
import type { BuildArg } from "../dockerfile/instruction.ts";

/** Allowed everywhere without an ARG, and in no image's history. Source: Dockerfile reference, "Predefined ARGs". */
const PREDEFINED: readonly string[] = ["HTTP", "HTTPS", "FTP", "NO", "ALL"].flatMap((name) => [
  `${name}_PROXY`,
  `${name.toLowerCase()}_proxy`,
]);

/** What is given with a build: a name alone says that it is meant, and not what it is. */
export type GivenArgs = ReadonlyMap<string, string | undefined>;

/**
 * The arguments of a build: what was given, and what ARGs have made known so far in a stage.
 *
 * What is given wins over what an ARG says; an ARG without a value has that of the one of its name before the first FROM.
 */
export class BuildArgs {
  readonly #given: GivenArgs;
  readonly #meta: Map<string, string | undefined>;
  readonly #known = new Map<string, string | undefined>();
  /** Shared by all stages: what any of them has asked for. */
  readonly #consumed: Set<string>;

  constructor(
    given: GivenArgs,
    meta = new Map<string, string | undefined>(),
    consumed = new Set<string>(),
  ) {
    this.#given = given;
    this.#meta = meta;
    this.#consumed = consumed;
  }

  /** For a new stage: it knows none of the last one's. */
  forStage(): BuildArgs {
    return new BuildArgs(this.#given, this.#meta, this.#consumed);
  }

  /** An ARG before the first FROM. */
  addMeta({ name, value }: BuildArg): void {
    this.#meta.set(name, value);
    this.add({ name, value });
  }

  /** An ARG of a stage. */
  add({ name, value }: BuildArg): void {
    this.#known.set(name, value);
    this.#consumed.add(name);
  }

  /** For FROM, and for what stands before it. */
  readonly metaLookup: Lookup = (name) => this.#find(name, this.#meta);

  /** Of the arguments an instruction may see. */
  readonly lookup: Lookup = (name) => this.#find(name, this.#known);

  /** `NAME=value` of all a command sees beside the image's own variables, which hide them. */
  environment(env: readonly string[]): readonly string[] {
    const own = new Set(env.map((line) => line.split("=", 1)[0]));
    const names = [...new Set([...this.#known.keys(), ...PREDEFINED])].filter(
      (name) => !own.has(name),
    );
    return names.flatMap((name) => {
      const value = this.lookup(name);
      return value === undefined ? [] : [`${name}=${value}`];
    });
  }

  /**
   * What the history says of an `environment`: how many, and which. What is predefined is not told, unless an ARG names it.
   *
   * Source: moby, prependEnvOnCmd.
   */
  history(environment: readonly string[]): readonly string[] {
    if (environment.length === 0) return [];
    const told = environment.filter((line) => {
      const name = line.split("=", 1)[0] ?? "";
      return this.#known.has(name) || !PREDEFINED.includes(name);
    });
    return [`|${told.length}`, ...told.toSorted()];
  }

  /** Given, and asked for by nobody. */
  unused(): readonly string[] {
    const names = [...this.#given.keys()];
    return names
      .filter((name) => !this.#consumed.has(name) && !PREDEFINED.includes(name))
      .toSorted();
  }

  #find(name: string, known: ReadonlyMap<string, string | undefined>): string | undefined {
    if (!known.has(name) && !PREDEFINED.includes(name)) return undefined;
    return this.#given.get(name) ?? known.get(name) ?? this.#metaDefault(name);
  }

  #metaDefault(name: string): string | undefined {
    return this.#meta.get(name);
  }
}
