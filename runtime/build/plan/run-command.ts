import type { Step } from "../dockerfile/instruction.ts";

/** What RUN runs. */
export interface RunCommand {
  readonly words: readonly string[];
  /** A file of the container's for the time of the run; empty content: none is needed. */
  readonly script: string;
  /** As its history says it, and as the cache tells it from others. */
  readonly shown: readonly string[];
}

/** What reads a line when SHELL does not say. */
export const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];
/** Where a script is that names its own interpreter; in memory, of no layer. */
export const SCRIPT_PATH = "/dev/build-script";

const MARK_ALONE = /^\d*<<-?\s*\S+$/;

/**
 * The command of RUN. A heredoc alone is a script: for the shell, or for the program its first line names; several, or one
 * beside a command, are the shell's own to read.
 *
 * Source: Dockerfile reference, "Here-documents".
 */
export function planRun(
  { command, heredocs }: Extract<Step, { kind: "run" }>,
  shell: readonly string[],
): RunCommand {
  if (!command.isShell) return plain(command.words);
  const [line] = command.words;
  // As Docker runs it: it is for the shell to say that nothing is there to be run.
  if (line === undefined) return plain(shell);
  const [only] = heredocs;
  if (only === undefined) return plain([...shell, line]);
  if (heredocs.length > 1 || !MARK_ALONE.test(line)) {
    const texts = heredocs.map(({ name, content }) => `\n${content}${name}`);
    return plain([...shell, line + texts.join("")]);
  }
  if (!only.text.startsWith("#!")) return plain([...shell, only.text]);
  const [interpreter = "", ...argument] = splitInterpreter(only.text);
  const words = [interpreter, ...argument, SCRIPT_PATH];
  return { words, script: only.text, shown: [...words, only.text] };
}

/** As the kernel does it: the program, and all the rest of the line as one argument. */
function splitInterpreter(script: string): readonly string[] {
  const line = (script.split("\n", 1)[0] ?? "").slice(2).trim();
  const [, program = "", argument = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
  return argument === "" ? [program] : [program, argument];
}

function plain(words: readonly string[]): RunCommand {
  return { words, script: "", shown: words };
}
