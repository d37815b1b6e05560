/** The clients of one system: each has an object of its own in it, and writes that object's value again and again. */
export interface Driver {
  /** Makes ready for clients `0 … count - 1`. */
  prepare(count: number): Promise<void>;
  /** Resolves once the write is acknowledged. Calls of one client do not overlap. */
  write(client: number, value: string): Promise<void>;
  close(): void;
}

/** Connections that so many clients share, the same for both systems. */
export function connectionsFor(clients: number): number {
  return Math.min(clients, 4);
}
