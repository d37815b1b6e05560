import { expect } from "chai";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { containerConfig } from "../../test/support/runtime/container-config.ts";
import { SILENT_IMAGE } from "../../test/support/silent-image.ts";
import { NO_HEALTH } from "../health/health.ts";
import { HealthWatch } from "./health-watch.ts";
import type { ContainerEvent, ContainerId } from "./types.ts";

describe("container: its health checks", () => {
  async function eventsOf(result: { exitCode: number; timedOut: boolean }): Promise<string[]> {
    const events: ContainerEvent[] = [];
    const clock = new FakeClock();
    const health = {
      ...{ test: ["CMD", "probe", "-q"], intervalMs: 1000, timeoutMs: 500, retries: 1 },
      ...{ startPeriodMs: 0, startIntervalMs: 0 },
    };
    const record = {
      id: "c" as ContainerId,
      config: containerConfig({ health }),
      imageConfig: SILENT_IMAGE,
    };
    const watch = new HealthWatch(
      record,
      {
        exec: async () => ({ ...result, output: "" }),
        onHealth: async () => {},
        emit: (event) => events.push(event),
      },
      clock,
    );
    watch.begin({ startedAtMs: clock.nowMs(), health: NO_HEALTH });
    await clock.advance(1000);
    watch.close();
    const ids = new Set(events.map((event) => (event.kind === "exec" ? event.execId : "none")));
    expect(ids.size).to.equal(1);
    return events.map((event) =>
      event.kind === "exec" ? `${event.action} ${event.command.join(" ")} ${event.exitCode}` : "",
    );
  }

  it("are told as commands, each with an id of its own", async () =>
    expect(await eventsOf({ exitCode: 3, timedOut: false })).to.deep.equal([
      ...["create probe -q 0", "start probe -q 0", "die probe -q 3"],
    ]));
  it("have the code of SIGKILL when they took too long", async () =>
    expect((await eventsOf({ exitCode: 0, timedOut: true })).at(-1)).to.equal("die probe -q 137"));
});
