const HEADER_BYTES = 8;

/** The numbers of the streams in frames. Source: moby, pkg/stdcopy. */
export const StreamNumber = { Stdout: 1, Stderr: 2 } as const;
export type StreamNumber = (typeof StreamNumber)[keyof typeof StreamNumber];

/** A piece of output as it goes where both streams share a connection: `{stream, 0, 0, 0, length}` and the bytes. */
export function frame(stream: StreamNumber, data: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(data.length, 4);
  return Buffer.concat([header, data]);
}
