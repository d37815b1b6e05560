import type { WriteStream } from "node:tty";

/** Text on a terminal that takes the place of the one before. */
export interface LiveText {
  show(text: string): void;
  done(): void;
}

/** Loaded when it is needed: most commands are done in less time than that takes. */
export async function liveText(stream: WriteStream): Promise<LiveText> {
  const { createLogUpdate } = await import("log-update");
  const update = createLogUpdate(stream);
  return { show: (text) => update(text), done: () => update.done() };
}
