import type { NewEngineEvent } from "../events/types.ts";
import type { ImageConfig } from "../image/types.ts";
import type { LocalNetwork } from "../network/types.ts";
import type { ContainerConfig, ContainerEvent } from "./types.ts";

/** Of whom something is told. */
interface Subject {
  readonly config: ContainerConfig;
  readonly imageConfig: ImageConfig;
}

/**
 * What the journal says of something that happened to a container. Source: moby, daemon/events.go.
 *
 * @param networks this machine's: those that are only names, host and none, are joined by nobody else.
 */
export function toEngineEvents(
  event: ContainerEvent,
  subject: Subject,
  networks: readonly Pick<LocalNetwork, "id" | "name" | "driver">[],
): NewEngineEvent[] {
  const own = attributesOf(subject);
  const say = (action: string, more: Readonly<Record<string, string>> = {}): NewEngineEvent => ({
    type: "container",
    action,
    actorId: event.id,
    attributes: { ...own, ...more },
  });
  switch (event.kind) {
    case "created":
      return [say("create")];
    case "started":
      return [...sayOfNetwork("connect", event.id, subject, networks), say("start")];
    case "exec":
      return [sayOfExec(event, say)];
    case "killed":
      return [say("kill", { signal: String(event.signal) })];
    case "exited": {
      const died = say("die", {
        exitCode: String(event.exitCode),
        execDuration: String(Math.floor(event.ranMs / SECOND_MS)),
      });
      const left = sayOfNetwork("disconnect", event.id, subject, networks);
      return [...(event.oomKilled ? [say("oom")] : []), died, ...left];
    }
    case "stopped":
      return [say("stop")];
    case "restarted":
      return [say("restart")];
    case "paused":
      return [say("pause")];
    case "attached":
      return [say("attach")];
    case "detached":
      return [say("detach")];
    case "resized":
      return [say("resize", { height: String(event.height), width: String(event.width) })];
    case "unpaused":
      return [say("unpause")];
    case "renamed":
      return [say("rename", { oldName: `/${event.oldName}` })];
    case "updated":
      return [say("update")];
    case "removed":
      return [say("destroy")];
    case "health":
      return [say(`health_status: ${event.state}`)];
  }
}

/** What every event of a container says of it. */
export function attributesOf({ config, imageConfig }: Subject): Readonly<Record<string, string>> {
  return { ...imageConfig.labels, ...config.labels, image: config.image, name: config.name };
}

type Say = (action: string, more?: Readonly<Record<string, string>>) => NewEngineEvent;

function sayOfExec(event: Extract<ContainerEvent, { kind: "exec" }>, say: Say): NewEngineEvent {
  const { execId: execID, action, command, exitCode } = event;
  switch (action) {
    case "create":
    case "start":
      return say(`exec_${action}: ${writeCommand(command)}`, { execID });
    case "detach":
      return say("exec_detach", { execID });
    case "die":
      return say("exec_die", { execID, exitCode: String(exitCode) });
  }
}

/** With a blank behind a program alone. Source: moby, daemon/exec.go. */
function writeCommand([program = "", ...args]: readonly string[]): string {
  return `${program} ${args.join(" ")}`;
}

function sayOfNetwork(
  action: "connect" | "disconnect",
  container: string,
  { config }: Subject,
  networks: Parameters<typeof toEngineEvents>[2],
): NewEngineEvent[] {
  const { kind } = config.network;
  if (kind !== "host" && kind !== "none") return [];
  return networks
    .filter(({ name }) => name === kind)
    .map(({ id: actorId, name, driver }) => {
      const attributes = { container, name, type: driver };
      return { type: "network", action, actorId, attributes };
    });
}

const SECOND_MS = 1000;
