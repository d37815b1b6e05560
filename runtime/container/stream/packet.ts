import type { OutputChunk } from "./types.ts";

/** The first byte of a packet: whose output the rest is. Source: conmon, utils.h, stdpipe_t. */
const Pipe = { Stdout: 2, Stderr: 3 } as const;

/** What conmon tells of a process's output in one packet; undefined for what is neither of its outputs, or empty. */
export function parsePacket(packet: Uint8Array): OutputChunk | undefined {
  const [pipe] = packet;
  if (packet.length < 2 || (pipe !== Pipe.Stdout && pipe !== Pipe.Stderr)) return undefined;
  return { stderr: pipe === Pipe.Stderr, data: packet.subarray(1) };
}
