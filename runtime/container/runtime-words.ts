/** The C library's words for an error stand at the end, with a capital; Go's have none. */
const SYSTEM_WORDS = /: ([A-Z])([a-z][a-z ,'-]*)$/;

/**
 * Says in runc's words why a program was not started, whoever says it: Docker's clients tell exit codes 126 and 127 from them.
 *
 * @param program the program that was to be started.
 * Source: crun 1.8, src/libcrun/linux.c and container.c; runc 1.1, libcontainer/init_linux.go.
 */
export function inRuncsWords(message: string, program: string, verb: "create" | "exec"): string {
  const cannot = `${verb === "exec" ? "exec" : "runc create"} failed: unable to start container process: `;
  const notFound = /executable file `(.*)` not found/.exec(message)?.[1];
  if (notFound?.includes("/"))
    return `${cannot}exec: "${notFound}": stat ${notFound}: no such file or directory`;
  if (notFound !== undefined)
    return `${cannot}exec: "${notFound}": executable file not found in $PATH`;
  if (/^open executable: (Operation not permitted|Permission denied)/.test(message))
    return `${cannot}exec: "${program}": permission denied`;
  const [, folder, why] = /^chdir `(.*)`: (.*)$/.exec(message) ?? [];
  if (folder !== undefined)
    return `${cannot}chdir to cwd ("${folder}") set in config.json failed: ${String(why).toLowerCase()}`;
  return message.replace(
    SYSTEM_WORDS,
    (_, capital: string, rest: string) => `: ${capital.toLowerCase()}${rest}`,
  );
}
