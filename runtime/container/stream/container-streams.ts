import { RunStreams } from "./run-streams.ts";
import type { Attachment } from "./types.ts";

/** The streams of one container, run after run. */
export class ContainerStreams {
  readonly #parts: ConstructorParameters<typeof RunStreams>;
  /** Of the run there is, or of the next. */
  #run: RunStreams;

  constructor(...parts: ConstructorParameters<typeof RunStreams>) {
    this.#parts = parts;
    this.#run = new RunStreams(...parts);
  }

  /** Of one that does not run: from its next start on. */
  attach(): Attachment {
    return this.#run.attach();
  }

  /** conmon is there, and the process not yet let go. */
  open(): void {
    this.#run.open();
  }

  /** The run has ended: who is attached gets what is still to come of it; who comes now waits for the next. */
  endRun(): void {
    this.#run.finish();
    this.#run = new RunStreams(...this.#parts);
  }

  /** Lets go of everybody; nobody can be attached any more. */
  close(): void {
    this.#run.close();
  }
}
