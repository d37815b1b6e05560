import type { EventEmitter } from "node:events";
import {
  Command,
  CommanderError,
  type ErrorOptions,
  type Option,
  type ParseOptionsResult,
} from "commander";
import { ClusterError } from "../../core/errors.ts";
import { ExitCode } from "../context.ts";
import { parseWords, WordError, type WordFlag } from "./words.ts";

interface OptionFlag extends WordFlag {
  /** Undefined: it asks for help. */
  readonly option: Option | undefined;
}

/** Commander's own refusal: it says what the flag may have been. Not in its types. */
interface Suggesting {
  unknownOption(flag: string): never;
}

/** A command of commander's that reads its words, and refuses them, as the docker command line does. */
export class Verb extends Command {
  #isInterspersed = true;
  #takesAnything = false;

  override createCommand(name?: string): Verb {
    return new Verb(name);
  }

  override passThroughOptions(passThrough = true): this {
    this.#isInterspersed = !passThrough;
    return super.passThroughOptions(passThrough);
  }

  override allowUnknownOption(allowed = true): this {
    this.#takesAnything = allowed;
    return super.allowUnknownOption(allowed);
  }

  /** The words of a line that are no flags of this command. Of a line that cannot be read there are none. */
  operandsOf(words: readonly string[]): readonly string[] {
    try {
      return parseWords(words, flagsOf(this.options), false).operands;
    } catch (error) {
      if (error instanceof WordError || error instanceof ClusterError) return [];
      throw error;
    }
  }

  override parseOptions(words: string[]): ParseOptionsResult {
    if (this.#takesAnything) return super.parseOptions(words);
    const isGroup = this.commands.length > 0;
    try {
      const flags = flagsOf(this.options);
      const parsed = parseWords(words, flags, this.#isInterspersed && !isGroup);
      if (parsed.given.some(({ flag }) => flag.option === undefined))
        return { operands: [], unknown: ["--help"] };
      for (const { flag, value } of parsed.given)
        if (flag.option !== undefined) this.#take(flag.option, value);
      const [verb, ...rest] = parsed.operands;
      // What follows is another's to read.
      if (isGroup && verb !== undefined && verb !== "help")
        return { operands: [verb], unknown: rest };
      return { operands: [...parsed.operands], unknown: [] };
    } catch (error) {
      if (error instanceof WordError && error.unknown?.startsWith("--") === true)
        return (this as unknown as Suggesting).unknownOption(error.unknown);
      if (error instanceof WordError || error instanceof ClusterError)
        return this.error(error.message);
      throw error;
    }
  }

  #take(option: Option, value: string | boolean | undefined): void {
    // Typed without the events that it lives by.
    const events = this as unknown as EventEmitter;
    if (value !== false)
      events.emit(`option:${option.name()}`, value === true ? null : (value ?? null));
    else this.setOptionValueWithSource(option.attributeName(), option.negate, "cli");
  }

  /** Says what is wrong and how it would be right, in one form for all verbs. */
  override error(message: string, { code = "muster.usage" }: ErrorOptions = {}): never {
    const { writeErr } = this.configureOutput();
    const usage = this.createHelp().commandUsage(this);
    const path = usage.replace(/\|\S+| [[<].*$/gs, "");
    const what = inDockersWords(message);
    writeErr?.(
      `muster: ${what}\n\nUsage:  ${usage}\n\nRun '${path} --help' for more information\n`,
    );
    throw new CommanderError(ExitCode.BadUsage, code, message);
  }
}

function flagsOf(options: readonly Option[]): OptionFlag[] {
  const flags = options.map((option): OptionFlag => {
    const takes = option.required ? "value" : option.optional ? "perhaps" : "boolean";
    const [, name = ""] = /^--(.+)$/.exec(option.long ?? "") ?? [];
    return { name, short: option.short?.slice(1), takes, option };
  });
  const short = flags.some((flag) => flag.short === "h") ? undefined : "h";
  return [...flags, { name: "help", short, takes: "boolean", option: undefined }];
}

/** Commander's own words for what it finds itself. */
function inDockersWords(message: string): string {
  return message
    .replace(/^error: /, "")
    .replace(/^unknown option '([^']*)'/, "unknown flag: $1")
    .replace(/^unknown command '([^']*)'/, "unknown command: $1");
}
