import { ClusterError } from "../../core/errors.ts";
import type { Context } from "../context.ts";

const BYTES_MAX = 4096;

/** Keys that end or change what is typed. */
const ENTER = /[\r\n]/;
const INTERRUPT = "\u0003";
const END = "\u0004";
const ERASE = /[\b\u007f]/;

/** A secret from a person, who does not see it, or from a pipe: its first line. It is never an argument: those are seen. */
export async function readSecret(context: Context, prompt: string): Promise<string> {
  const { stdin } = process;
  if (!stdin.isTTY) return firstLine(stdin);
  // First of all: who has seen the prompt may type.
  stdin.setRawMode(true);
  try {
    context.warn(prompt);
    return await typed(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    context.warn("\n");
  }
}

function interrupted(): ClusterError {
  return new ClusterError("Cancelled", "no key was given");
}

async function firstLine(stdin: NodeJS.ReadStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.includes("\n") || text.length > BYTES_MAX) break;
  }
  return (text.split("\n")[0] ?? "").trim();
}

async function typed(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      for (const char of chunk.toString()) {
        if (char === INTERRUPT) end(() => reject(interrupted()));
        else if (char === END || ENTER.test(char)) end(() => resolve(text.trim()));
        else text = ERASE.test(char) ? text.slice(0, -1) : text + char;
      }
    };
    const end = (settle: () => void): void => {
      stdin.off("data", onData);
      settle();
    };
    stdin.on("data", onData);
    // Whoever asked before has left it paused.
    stdin.resume();
  });
}
