import { Client } from "../../cli/client/client.ts";
import { runWords } from "../../cli/main.ts";

export interface WordsResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `muster` in this process, for what neither reads input nor stays with a container. @param host the daemon's. */
export async function runMuster(host: string, words: readonly string[]): Promise<WordsResult> {
  const said = { stdout: "", stderr: "" };
  const context = {
    client: () => new Client(host),
    print: (text: string) => {
      said.stdout += text;
    },
    warn: (text: string) => {
      said.stderr += text;
    },
    isTerminal: false,
    interrupt: new AbortController().signal,
  };
  const code = await runWords(words, context, () => {});
  return { code, ...said };
}
