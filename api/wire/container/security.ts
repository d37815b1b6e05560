import { ClusterError } from "../../../core/errors.ts";
import type { ContainerSettings, SecuritySettings } from "../../backends/container-settings.ts";
import type { JsonReader } from "../../http/json-reader.ts";

/** What `--security-opt` and its neighbours say. Source: moby, daemon/daemon_unix.go, parseSecurityOpt. */
export function readSecurity(json: JsonReader): SecuritySettings {
  let [noNewPrivileges, seccomp, apparmor] = [false, "", ""];
  for (const option of json.strings("SecurityOpt")) {
    if (option === "no-new-privileges") {
      noNewPrivileges = true;
      continue;
    }
    const [, name = "", value = ""] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    switch (name) {
      case "no-new-privileges":
        noNewPrivileges = readBoolean(option, value);
        break;
      case "seccomp":
        // The profile there would be without it.
        seccomp = value === "builtin" ? "" : value;
        break;
      case "apparmor":
        apparmor = value;
        break;
      case "label":
        // SELinux is on no machine of ours: without it Docker does nothing either.
        break;
      default:
        throw new ClusterError(
          "InvalidArgument",
          `invalid --security-opt ${name === "" ? 1 : 2}: ${JSON.stringify(option.slice(0, 100))}`,
        );
    }
  }
  return {
    privileged: json.boolean("Privileged"),
    noNewPrivileges,
    seccomp,
    apparmor,
    // An empty list says: none of them.
    maskedPaths: json.has("MaskedPaths") ? json.strings("MaskedPaths") : undefined,
    readonlyPaths: json.has("ReadonlyPaths") ? json.strings("ReadonlyPaths") : undefined,
  };
}

/** As the client sent them, and what Docker adds for who sees the whole machine. Source: moby, generateSecurityOpt. */
export function writeSecurityOptions({
  client,
  security,
  namespaces,
}: Pick<ContainerSettings, "client" | "security" | "namespaces">): unknown[] | null {
  const asked = Array.isArray(client.SecurityOpt) ? client.SecurityOpt : optionsOf(security);
  const seesAll = security.privileged || namespaces.pid === "host" || namespaces.ipc === "host";
  const isLabelled = asked.some((option) => /^label[=:]/.test(String(option)));
  const options = seesAll && !isLabelled ? [...asked, "label=disable"] : asked;
  return options.length > 0 ? options : null;
}

function optionsOf(security: SecuritySettings): string[] {
  return [
    ...(security.noNewPrivileges ? ["no-new-privileges"] : []),
    ...(security.seccomp === "" ? [] : [`seccomp=${security.seccomp}`]),
    ...(security.apparmor === "" ? [] : [`apparmor=${security.apparmor}`]),
  ];
}

function readBoolean(option: string, value: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new ClusterError("InvalidArgument", `invalid --security-opt 2: ${JSON.stringify(option)}`);
}
