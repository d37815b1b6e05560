import { parseDetachKeys } from "../../core/detach-keys.ts";
import { ClusterError } from "../../core/errors.ts";
import type { HijackedConnection } from "../client/hijack.ts";
import { containerPath } from "../commands/container/each.ts";
import type { Context } from "../context.ts";
import { joinConsole, makeRaw, takesKeys } from "./console.ts";
import { proxySignals } from "./proxy-signals.ts";
import { followWindow } from "./window.ts";

/** How somebody is with a container. */
export interface ForegroundOptions {
  readonly stdin: boolean;
  /** Unless told otherwise. */
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly tty: boolean;
  readonly detachKeys: string;
  readonly sigProxy: boolean;
  /** It goes when it ends. */
  readonly isRemoved: boolean;
}

/** A container somebody is attached to, and whose end is waited for. */
export interface Foreground {
  /**
   * Stays with it to its end, or until somebody leaves.
   *
   * @returns its exit code; undefined for who left. @throws {ClusterError} `Unavailable` when the daemon goes.
   */
  stay(): Promise<number | undefined>;
  /** Gives up. */
  close(): void;
}

/** Attaches to a container that is to be started, or runs. Nothing of its output passes by. */
export async function attachTo(
  context: Context,
  id: string,
  options: ForegroundOptions,
): Promise<Foreground> {
  const { stdin, stdout = true, stderr = true, tty, detachKeys, sigProxy, isRemoved } = options;
  const keys = parseDetachKeys(detachKeys);
  const client = context.client();
  const connection: HijackedConnection = await client.hijack(
    containerPath(id, "attach"),
    {},
    { stream: true, stdin, stdout, stderr, detachKeys: detachKeys || undefined },
  );
  const condition = isRemoved ? "removed" : "next-exit";
  const answer = await client.postForStream(containerPath(id, "wait"), undefined, {
    query: { condition },
  });
  // Before it is started: what is typed from now on is the container's, Ctrl-C too.
  if (takesKeys(options)) makeRaw(process.stdin);
  return {
    async stay() {
      const stops = [
        ...(tty ? [followWindow(context, containerPath(id, "resize"))] : []),
        ...(sigProxy && !tty ? [proxySignals(context, containerPath(id, "kill"))] : []),
      ];
      try {
        if (await joinConsole(connection, { stdin, tty, detachKeys: keys })) return undefined;
        return (await readAnswer(answer)).StatusCode;
      } finally {
        for (const stop of stops) stop();
        answer.destroy();
      }
    },
    close() {
      if (takesKeys(options)) process.stdin.setRawMode(false);
      connection.socket.destroy();
      answer.on("error", () => {}).destroy();
    },
  };
}

async function readAnswer(
  answer: AsyncIterable<unknown>,
): Promise<{ readonly StatusCode: number }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as { readonly StatusCode: number };
  } catch (cause) {
    const message = "the daemon ended the connection before the container did; that may run on";
    throw new ClusterError("Unavailable", message, { cause });
  }
}
