import { ClusterError } from "../../core/errors.ts";
import type { VolumeOptions } from "./types.ts";

/** What the local driver knows. Source: moby, volume/local/local_unix.go. */
const OPTIONS = new Set(["type", "o", "device", "size"]);
/** Which others each one makes no sense without. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  device: ["type"],
  type: ["device"],
  o: ["device", "type"],
};
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const NAME_BYTES_MIN = 2;
const NAME_LENGTH_MAX = 255;
/** The kernel copies one page of options. */
const OPTION_BYTES_MAX = 4095;
const LABELS_BYTES_MAX = 1024 * 1024;

/** @throws {ClusterError} InvalidArgument. Docker's words. */
export function checkVolumeName(name: string): void {
  if (Buffer.byteLength(name) < NAME_BYTES_MIN)
    throw refusal(
      name,
      "volume name is too short, names should be at least two alphanumeric characters",
    );
  if (name.length > NAME_LENGTH_MAX)
    throw refusal(name, `volume name is too long, at most ${NAME_LENGTH_MAX} characters`);
  if (NAME.test(name)) return;
  throw refusal(
    name,
    `${JSON.stringify(name.slice(0, 100))} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  );
}

/** @throws {ClusterError} InvalidArgument for options that are none, go together or cannot be on this machine. Docker's words. */
export function checkVolumeOptions(name: string, options: VolumeOptions): void {
  for (const [option, value] of Object.entries(options)) {
    if (!OPTIONS.has(option))
      throw refusal(name, `invalid option: ${JSON.stringify(option.slice(0, 40))}`);
    if (value.includes("\0") || Buffer.byteLength(value) > OPTION_BYTES_MAX)
      throw refusal(name, `invalid value of option ${JSON.stringify(option)}`);
  }
  const { size } = options;
  if (size !== undefined && parseSizeBytes(name, size) > 0)
    throw refusal(name, "quota size requested but no quota support");
  for (const [option, others] of Object.entries(NEEDS)) {
    if (options[option] === undefined) continue;
    const missing = others.find((other) => options[other] === undefined);
    if (missing !== undefined)
      throw refusal(name, `missing required option: ${JSON.stringify(missing)}`);
  }
  if (options.device === "" || options.device?.startsWith("-"))
    throw refusal(name, "missing device in volume options");
}

/** @throws {ClusterError} InvalidArgument when there are more than a file beside the volume should hold. */
export function checkVolumeLabels(name: string, labels: Readonly<Record<string, string>>): void {
  if (Buffer.byteLength(JSON.stringify(labels)) > LABELS_BYTES_MAX)
    throw refusal(name, `labels are larger than ${LABELS_BYTES_MAX} bytes`);
}

/** What is mounted at a volume while it is used. */
export interface VolumeMountPlan {
  readonly type: string;
  readonly device: string;
  /** As mount(8) takes them; empty: none. */
  readonly options: string;
  /** A host's name in the options whose address the kernel must be told; empty: none. */
  readonly hostName: string;
}

/** Undefined for a volume that is a directory of its own. */
export function planVolumeMount({ type, device, o }: VolumeOptions): VolumeMountPlan | undefined {
  if (type === undefined || device === undefined) return undefined;
  const options = o ?? "";
  return { type, device, options, hostName: findHostName(type, options) };
}

/** The kernel's NFS and CIFS take addresses only. */
function findHostName(type: string, options: string): string {
  if (!["nfs", "nfs4", "cifs"].includes(type)) return "";
  const address = /(?:^|,)addr=([^,]*)/.exec(options)?.[1] ?? "";
  return /^[\d.]+$/.test(address) || address.includes(":") ? "" : address;
}

/** The options with an address in place of the host's name. */
export function withAddress({ options, hostName }: VolumeMountPlan, address: string): string {
  return options.replace(`addr=${hostName}`, `addr=${address}`);
}

/** What mount(8) says at length the kernel says in short, and Docker after it. */
const KERNEL_WORDS: readonly (readonly [RegExp, string])[] = [
  [/special device .* does not exist/, "no such file or directory"],
  [/unknown filesystem type/, "no such device"],
  [/wrong fs type, bad option/, "invalid argument"],
];

/** What mount(8) said, in the kernel's words where they are known. */
export function kernelWords(message: string): string {
  return KERNEL_WORDS.find(([pattern]) => pattern.test(message))?.[1] ?? message;
}

/** What mount said, without the password that its options may hold. */
export function withoutPassword(message: string, options: string): string {
  const password = /(?:^|,)password=([^,]+)/.exec(options)?.[1];
  return password === undefined
    ? message
    : message.replaceAll(`password=${password}`, "password=********");
}

function parseSizeBytes(name: string, text: string): number {
  const [, digits, unit = ""] =
    /^(\d{1,15}(?:\.\d{1,6})?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) throw refusal(name, `invalid size: '${text.slice(0, 40)}'`);
  return Number(digits) * 1024 ** ["", ..."kmgtp"].indexOf(unit.toLowerCase());
}

function refusal(name: string, reason: string): ClusterError {
  return new ClusterError("InvalidArgument", `create ${name.slice(0, 100)}: ${reason}`);
}
