import { ClusterError } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { jsonLines } from "./json-lines.ts";
import { liveText } from "./live-text.ts";

/** One line of a pull, push or load. */
export interface TransferLine {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** `code` is that of a command that was run on the way. */
  readonly errorDetail?: { readonly message: string; readonly code?: number };
}

/**
 * Shows a transfer until its end: on a terminal each layer has a line that moves, otherwise every step is a line, without
 * bars.
 *
 * @param onLine also told every line.
 * @throws {ClusterError} with the daemon's words when the transfer fails in the middle, and with `exitCode` among its
 *   details when a command on the way ended with it.
 */
export async function showTransfer(
  context: Context,
  stream: AsyncIterable<Uint8Array>,
  onLine: (line: TransferLine) => void = () => {},
): Promise<void> {
  const view = context.isTerminal ? await liveView() : lineView(context);
  try {
    for await (const line of jsonLines<TransferLine>(stream)) {
      onLine(line);
      if (line.errorDetail !== undefined) throw failureOf(line.errorDetail);
      view.show(line);
    }
  } finally {
    view.done();
  }
}

function failureOf({ message, code }: NonNullable<TransferLine["errorDetail"]>): ClusterError {
  return new ClusterError("Internal", message, {
    details: code === undefined ? {} : { exitCode: code },
  });
}

interface View {
  show(line: TransferLine): void;
  done(): void;
}

async function liveView(): Promise<View> {
  const live = await liveText(process.stderr);
  const lines = new Map<string, string>();
  return {
    show(line) {
      const text = formatLine(line, true);
      if (text !== undefined) lines.set(line.id ?? text, text);
      live.show([...lines.values()].join("\n"));
    },
    done: () => live.done(),
  };
}

function lineView(context: Context): View {
  return {
    show(line) {
      const text = formatLine(line, false);
      if (text !== undefined) context.warn(`${text}\n`);
    },
    done: () => {},
  };
}

/** Undefined: nothing to say without a bar. */
export function formatLine(line: TransferLine, withBars: boolean): string | undefined {
  const { id, status, progress = "", progressDetail } = line;
  if (status === undefined) return undefined;
  if (!withBars && progressDetail?.current !== undefined) return undefined;
  const text = progress === "" ? status : `${status} ${progress}`;
  return id === undefined ? text : `${id}: ${text}`;
}
