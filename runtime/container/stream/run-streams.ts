import type { Socket } from "node:net";
import type { Clock } from "../../../core/clock.ts";
import { connectSeqpacket, type PacketConnection } from "../../linux/seqpacket.ts";
import { OutputQueue } from "./output-queue.ts";
import { parsePacket } from "./packet.ts";
import type { Attachment } from "./types.ts";

/** conmon reads so much at a time; of a longer packet it would lose the rest. Source: conmon, config.h. */
const INPUT_BYTES_MAX = 32_768;

/** How a process takes its input. */
export interface InputMode {
  /** It has input at all. */
  readonly isOpen: boolean;
  /** The end of one client's input is the end of it: conmon then closes it when it loses whoever is connected. */
  readonly endsWithClient: boolean;
}

/**
 * The streams of one run of a process under conmon, for any number of clients.
 *
 * All share one connection: conmon waits for whoever is connected and does not read, so nobody but us, who do read, may be.
 * Clients may come before there is a process: nothing of its output passes them by.
 */
export class RunStreams {
  readonly #path: string;
  readonly #input: InputMode;
  readonly #clock: Clock;
  readonly #queues = new Set<OutputQueue>();
  #socket: Socket | undefined;
  #state: "ahead" | "open" | "over" = "ahead";
  #inputEnded = false;
  /** The last write that is under way; writes are packets and must not be joined. */
  #written: Promise<void>;
  /** Lets the first write go, when it is known whether there is somebody to write to. */
  #settle = () => {};

  /** @param path of conmon's attach socket. */
  constructor(path: string, input: InputMode, clock: Clock) {
    this.#path = path;
    this.#input = input;
    this.#clock = clock;
    this.#written = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** conmon is there, and the process not yet let go. */
  open(): void {
    if (this.#state !== "ahead") return;
    this.#state = "open";
    if (this.#queues.size > 0) this.#connect();
    this.#settle();
  }

  /** The process has ended: what it wrote is still given to everybody. */
  finish(): void {
    if (this.#socket === undefined) this.close();
  }

  /** Lets go of everybody; the process runs on. */
  close(): void {
    this.#state = "over";
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#settle();
    for (const queue of this.#queues) queue.end();
    this.#queues.clear();
  }

  attach(): Attachment {
    const queue = new OutputQueue(this.#clock, {
      room: () => this.#flow(),
      stalled: () => this.#leave(queue),
    });
    if (this.#state === "over") queue.end();
    else this.#queues.add(queue);
    if (this.#state === "open" && this.#socket === undefined) this.#connect();
    return {
      output: queue.take(),
      write: (data) => this.#write(data),
      closeInput: () => {
        if (this.#input.endsWithClient) this.#endInput();
      },
      close: () => {
        queue.drop();
        this.#leave(queue);
      },
    };
  }

  #connect(): void {
    let connection: PacketConnection;
    try {
      connection = connectSeqpacket(this.#path);
    } catch {
      // conmon is gone, and with it the process: its end is told elsewhere.
      this.close();
      return;
    }
    const { socket } = connection;
    this.#socket = socket;
    socket.on("data", (packet: Buffer) => {
      this.#give(packet);
      this.#flow();
    });
    socket.on("error", () => socket.destroy());
    socket.once("end", () => {
      for (const packet of connection.rest()) this.#give(packet);
      socket.destroy();
    });
    socket.once("close", () => {
      if (this.#socket === socket) this.close();
    });
  }

  #give(packet: Uint8Array): void {
    const chunk = parsePacket(packet);
    if (chunk === undefined) return;
    for (const queue of this.#queues) queue.push(chunk);
  }

  /** The slowest client sets the pace. */
  #flow(): void {
    if (this.#socket === undefined) return;
    const isHeld = [...this.#queues].some((queue) => queue.isFull);
    if (isHeld) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }

  #leave(queue: OutputQueue): void {
    this.#queues.delete(queue);
    this.#flow();
    // Where our going would end the process's input, the connection stays to the end.
    if (this.#queues.size > 0 || this.#input.endsWithClient) return;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  async #write(data: Uint8Array): Promise<void> {
    if (!this.#input.isOpen) return;
    const before = this.#written;
    const write = async () => {
      await before;
      for (let at = 0; at < data.length && !this.#inputEnded; at += INPUT_BYTES_MAX)
        await send(this.#socket, data.subarray(at, at + INPUT_BYTES_MAX));
    };
    this.#written = write();
    await this.#written;
  }

  #endInput(): void {
    const before = this.#written;
    const end = async () => {
      await before;
      this.#inputEnded = true;
      if (this.#state === "open" && this.#socket === undefined) this.#connect();
      this.#socket?.end();
    };
    this.#written = end();
  }
}

/** Resolves when the packet is conmon's, or nobody is there to take it. */
function send(socket: Socket | undefined, packet: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) resolve();
    else socket.write(packet, () => resolve());
  });
}
