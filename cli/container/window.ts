import { errorMessage } from "../../core/errors.ts";
import type { Context } from "../context.ts";

/** A process that has just been started may not have its terminal yet. */
const TRIES_MAX = 5;
const TRY_AGAIN_MS = 20;

/**
 * Keeps a terminal in a container as large as ours.
 *
 * @param path that of the resize.
 * @returns how to stop that.
 */
export function followWindow(context: Context, path: string): () => void {
  const { stdout } = process;
  if (!stdout.isTTY) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const say = async (triesLeft: number): Promise<void> => {
    const { rows, columns } = stdout;
    // A terminal that does not know how large it is.
    if (!rows && !columns) return;
    try {
      await context.client().post(path, undefined, { h: rows, w: columns });
    } catch (error) {
      if (triesLeft > 0) timer = setTimeout(() => void say(triesLeft - 1), TRY_AGAIN_MS);
      else context.warn(`cannot resize the terminal: ${errorMessage(error)}\n`);
    }
  };
  const onResize = () => void say(0);
  stdout.on("resize", onResize);
  void say(TRIES_MAX);
  return () => {
    clearTimeout(timer);
    stdout.off("resize", onResize);
  };
}
