import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Clock } from "../../../core/clock.ts";
import type { Random } from "../../../core/random.ts";
import { randomInt } from "../../../core/random.ts";
import { FrameReader, frame } from "./frame.ts";
import { HEADER_BYTES, questionEnd } from "./question.ts";
import type { Transport } from "./respond.ts";

/** Queries on their way to other servers; more are refused at once. */
export const FORWARDS_MAX = 256;
/** Two servers together stay below the 5 s after which resolvers ask again. */
export const FORWARD_TIMEOUT_MS = 1500;
const SERVERS_MAX = 2;
const DNS_PORT = 53;
const ID_VALUES = 65_536;

/**
 * Asks other name servers, from the daemon's own network namespace.
 *
 * Each query leaves from a socket of its own with an id of its own, so that answers cannot be guessed from outside.
 */
export class Forwarder {
  readonly #clock: Clock;
  readonly #random: Random;
  #pending = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** The answer of the first server that gives one, with the query's id; undefined when none does in time. */
  async ask(
    query: Buffer,
    servers: readonly string[],
    transport: Transport,
  ): Promise<Buffer | undefined> {
    if (this.#pending >= FORWARDS_MAX) return undefined;
    this.#pending++;
    try {
      for (const server of servers.slice(0, SERVERS_MAX)) {
        const sent = Buffer.from(query);
        sent.writeUInt16BE(randomInt(this.#random, ID_VALUES), 0);
        const answer = await this.#exchange(sent, server, transport);
        if (answer === undefined) continue;
        query.copy(answer, 0, 0, 2);
        return answer;
      }
      return undefined;
    } finally {
      this.#pending--;
    }
  }

  /** Undefined when refused, unreachable or late. */
  #exchange(query: Buffer, server: string, transport: Transport): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      let close = () => {};
      const finish = (answer: Buffer | undefined) => {
        cancel();
        close();
        resolve(answer);
      };
      const cancel = this.#clock.after(FORWARD_TIMEOUT_MS, () => finish(undefined));
      const onAnswer = (answer: Buffer) => {
        if (isAnswerTo(answer, query)) finish(answer);
      };
      const start = transport === "udp" ? startUdp : startTcp;
      close = start(query, server, onAnswer, () => finish(undefined));
    });
  }
}

type Start = (
  query: Buffer,
  server: string,
  onAnswer: (answer: Buffer) => void,
  onFailure: () => void,
) => () => void;

const startUdp: Start = (query, server, onAnswer, onFailure) => {
  const socket = createSocket(server.includes(":") ? "udp6" : "udp4");
  socket.on("error", onFailure);
  socket.on("message", onAnswer);
  // Connected: only this server's packets come in, and a refusal is an error at once.
  socket.connect(DNS_PORT, server, () => socket.send(query));
  let closed = false;
  return () => {
    if (!closed) socket.close();
    closed = true;
  };
};

const startTcp: Start = (query, server, onAnswer, onFailure) => {
  const socket = connect({ host: server, port: DNS_PORT });
  const reader = new FrameReader();
  socket.on("connect", () => socket.write(frame(query)));
  socket.on("data", (chunk) => reader.push(chunk).forEach(onAnswer));
  socket.on("error", onFailure);
  socket.on("end", onFailure);
  return () => socket.destroy();
};

/** Same id and same question, byte for byte: servers copy it, whatever its letters' case. */
function isAnswerTo(answer: Buffer, query: Buffer): boolean {
  const end = questionEnd(query);
  return (
    answer.length >= end &&
    answer.readUInt16BE(0) === query.readUInt16BE(0) &&
    (answer[2] ?? 0) >= 0x80 &&
    answer.subarray(HEADER_BYTES, end).equals(query.subarray(HEADER_BYTES, end))
  );
}
