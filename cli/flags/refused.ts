import { type Command, Option } from "commander";

/**
 * Adds flags of docker's that stand for nothing Muster has: whoever gives one is told why.
 *
 * @param flags commander's forms.
 */
export function addRefused(command: Command, why: string, flags: readonly string[]): Command {
  const options = flags.map((flag) => new Option(flag, `Refused: ${why}`));
  for (const option of options) command.addOption(option);
  return command.hook("preAction", (verb) => {
    const given = options.find((option) => {
      const name = option.attributeName();
      // `--no-x` is given when it is false, any other when it is not.
      return (
        verb.getOptionValueSource(name) === "cli" && isGiven(option, verb.getOptionValue(name))
      );
    });
    if (given !== undefined) verb.error(`${given.long} is not supported: ${why}`);
  });
}

function isGiven(option: Option, value: unknown): boolean {
  return option.negate ? value === false : value !== false;
}
