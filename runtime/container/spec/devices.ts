import { ClusterError } from "../../../core/errors.ts";
import { isCdiName } from "../cdi/cdi-spec.ts";
import type { DeviceSettings } from "../settings.ts";
import type { OciDevice, OciDeviceRule } from "./oci-spec.ts";

/** A device node of the host for a container. */
export interface HostDevice extends OciDevice {
  /** Of `rwm`. */
  readonly permissions: string;
}

/**
 * Which devices a container may open unless it is given more: none but the harmless ones. The runtime adds those it makes
 * itself (terminals).
 *
 * Source: moby, daemon/pkg/oci/defaults.go.
 */
const DEFAULT_DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: "rwm" },
  character(1, 3), // null
  character(1, 5), // zero
  character(1, 7), // full
  character(1, 8), // random
  character(1, 9), // urandom
];
const RULE = /^([acb]) (\d{1,8}|\*):(\d{1,8}|\*) ([rwm]{1,3})$/;
const PERMISSIONS = /^[rwm]{1,3}$/;
const DEVICES_MAX = 10_000;

/** What a container may open. Rules come in the order in which the kernel applies them. */
export function planDeviceRules(
  settings: DeviceSettings,
  privileged: boolean,
  devices: readonly HostDevice[],
): OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: "rwm" }];
  const given = devices.map(({ type, major, minor, permissions }): OciDeviceRule => {
    const kind = type === "b" ? "b" : "c";
    return { allow: true, type: kind, major, minor, access: permissions };
  });
  return [...DEFAULT_DEVICE_RULES, ...given, ...settings.rules.map(parseDeviceRule)];
}

/** @throws {ClusterError} InvalidArgument for what cannot be, whatever devices the host has. */
export function checkDevices({ devices, rules, cdi }: DeviceSettings): void {
  if (devices.length > DEVICES_MAX || rules.length > DEVICES_MAX)
    throw new ClusterError("InvalidArgument", `invalid devices: more than ${DEVICES_MAX}`);
  for (const { permissions } of devices)
    if (!PERMISSIONS.test(permissions))
      throw new ClusterError("InvalidArgument", `invalid device mode: ${permissions.slice(0, 40)}`);
  rules.forEach(parseDeviceRule);
  const bad = cdi.find((name) => !isCdiName(name));
  if (bad !== undefined || cdi.length > DEVICES_MAX)
    throw new ClusterError(
      "InvalidArgument",
      `CDI device injection failed: unresolvable CDI devices ${bad?.slice(0, 100)}`,
    );
}

/** `c 1:3 rwm`. @throws {ClusterError} InvalidArgument. Docker's words. */
export function parseDeviceRule(rule: string): OciDeviceRule {
  const match = RULE.exec(rule);
  if (match === null)
    throw new ClusterError(
      "InvalidArgument",
      `invalid device cgroup rule format: '${rule.slice(0, 100)}'`,
    );
  const [, type, major = "", minor = "", access = ""] = match;
  return {
    allow: true,
    access,
    ...(type === "a" ? {} : { type: type as "b" | "c" }),
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
  };
}

function character(major: number, minor: number): OciDeviceRule {
  return { allow: true, type: "c", major, minor, access: "rwm" };
}
