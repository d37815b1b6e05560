import { request } from "node:http";

/** An answer that has begun. */
export interface OpenAnswer {
  /** What was read of it so far. */
  readonly text: () => string;
  /** Resolves when it is over, whichever way. */
  readonly ended: Promise<void>;
  /** Hangs up. */
  leave(): void;
}

/** Sends a request without a body, and resolves when its answer begins. @param isRead else it is left where it is. */
export function openAnswer(
  socketPath: string,
  operation: string,
  isRead: boolean,
): Promise<OpenAnswer> {
  const [method = "", path = ""] = operation.split(" ");
  return new Promise((resolve, reject) => {
    let text = "";
    const asked = request({ socketPath, method, path }, (response) => {
      response.on("error", () => {});
      const ended = new Promise<void>((end) => response.once("close", end));
      const opened = { text: () => text, ended, leave: () => void asked.destroy() };
      if (!isRead) response.once("readable", () => resolve(opened));
      else
        response.on("data", (chunk: Buffer) => {
          text += chunk;
          resolve(opened);
        });
    });
    asked.once("error", reject).end();
  });
}
