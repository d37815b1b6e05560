import type { WirePort, WireTask } from "../client/wire.ts";
import { capital, humanDuration } from "../output/human.ts";
import { formatList, type Row } from "../output/list.ts";
import { type Names, taskName } from "./names.ts";

const COLUMNS = [
  { header: "ID", field: "ID" },
  { header: "NAME", field: "Name" },
  { header: "IMAGE", field: "Image" },
  { header: "NODE", field: "Node" },
  { header: "DESIRED STATE", field: "DesiredState" },
  { header: "CURRENT STATE", field: "CurrentState" },
  { header: "ERROR", field: "Error" },
  { header: "PORTS", field: "Ports" },
];

const ID_LENGTH = 12;
const ERROR_LENGTH = 30;

export interface TaskListOptions {
  readonly format?: string | undefined;
  readonly quiet?: boolean | undefined;
  readonly trunc: boolean;
  readonly nowMs: number;
}

/** The table of `service ps` and `node ps`: by slot, newest first, older ones of a slot marked with ` \_ `. */
export function formatTasks(
  tasks: readonly WireTask[],
  names: Names,
  options: TaskListOptions,
): string {
  const sorted = [...tasks].sort(
    (a, b) => compareSlots(a, b, names) || (a.CreatedAt < b.CreatedAt ? 1 : -1),
  );
  let previous = "";
  const rows = sorted.map((task) => {
    const name = taskName(task, names);
    const again = name === previous && options.format === undefined;
    previous = name;
    return taskRow(task, again ? ` \\_ ${name}` : name, names, options);
  });
  return formatList({ columns: COLUMNS, rows }, options);
}

function taskRow(
  task: WireTask,
  name: string,
  names: Names,
  { trunc, nowMs }: TaskListOptions,
): Row {
  const { State, Timestamp, Err = "" } = task.Status;
  const state = capital(State);
  const age = humanDuration(nowMs - Date.parse(Timestamp)).toLowerCase();
  const error =
    Err === ""
      ? ""
      : `"${trunc && Err.length > ERROR_LENGTH ? `${Err.slice(0, ERROR_LENGTH - 1)}…` : Err}"`;
  const image = task.Spec.ContainerSpec?.Image ?? "";
  return {
    ID: trunc ? task.ID.slice(0, ID_LENGTH) : task.ID,
    Name: name,
    Image: trunc ? image.replace(/@sha256:.*$/, "") : image,
    Node: names.node(task.NodeID ?? ""),
    DesiredState: capital(task.DesiredState),
    CurrentState: `${state} ${age} ago`,
    Error: error,
    Ports: (task.Status.PortStatus?.Ports ?? []).map(formatHostPort).join(","),
  };
}

function formatHostPort(port: WirePort): string {
  return `*:${port.PublishedPort ?? 0}->${port.TargetPort}/${port.Protocol}`;
}

function compareSlots(a: WireTask, b: WireTask, names: Names): number {
  return taskName(a, names).localeCompare(taskName(b, names), "en", { numeric: true });
}
