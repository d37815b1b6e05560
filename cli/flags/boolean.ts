import { ClusterError } from "../../core/errors.ts";

const WORDS: Readonly<Record<string, boolean>> = {
  ...{ "1": true, t: true, T: true, true: true, TRUE: true, True: true },
  ...{ "0": false, f: false, F: false, false: false, FALSE: false, False: false },
};

/** As Go's strconv.ParseBool, which Docker's flags use. @throws {ClusterError} `InvalidArgument` naming the flag. */
export function parseBoolean(flag: string, text: string): boolean {
  const value = WORDS[text];
  if (value === undefined)
    throw new ClusterError("InvalidArgument", `invalid argument "${text}" for "--${flag}" flag`);
  return value;
}
