import { ClusterError, errorMessage } from "../../core/errors.ts";
import { type Context, ExitCode, ExitError } from "../context.ts";
import { compileTemplate } from "../template/template.ts";

/**
 * What all `inspect` commands do: fetch each object, print all found as a JSON list or each by the template, and name
 * those not found.
 */
export async function inspectAll(
  { print, warn }: Context,
  refs: readonly string[],
  options: {
    readonly format?: string | undefined;
    readonly pretty?: ((object: unknown) => string) | undefined;
  },
  fetch: (ref: string) => Promise<unknown>,
): Promise<void> {
  const render =
    options.format === undefined || options.format === "json"
      ? options.pretty
      : templateOf(options.format);
  const found: unknown[] = [];
  const errors: string[] = [];
  for (const ref of refs) {
    try {
      found.push(await fetch(ref));
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      errors.push(errorMessage(error));
    }
  }
  if (render === undefined) print(`${JSON.stringify(found, null, 4)}\n`);
  else for (const object of found) print(`${render(object)}\n`);
  for (const error of errors) warn(`${error}\n`);
  if (errors.length > 0) throw new ExitError(ExitCode.Error);
}

/**
 * Runs `act` for each ref, goes on after failures, and fails at the end if any did. Prints what `act` returns.
 *
 * @param mayBeMissing what is not there is said, and no failure.
 */
export async function forEachRef(
  { print, warn }: Context,
  refs: readonly string[],
  act: (ref: string) => Promise<string>,
  mayBeMissing = false,
): Promise<void> {
  let failed = false;
  for (const ref of refs) {
    try {
      print(`${await act(ref)}\n`);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      warn(`${error.message}\n`);
      failed ||= !(mayBeMissing && error.code === "NotFound");
    }
  }
  if (failed) throw new ExitError(ExitCode.Error);
}

function templateOf(format: string): (object: unknown) => string {
  return compileTemplate(format, { missing: "cannot be printed" });
}
