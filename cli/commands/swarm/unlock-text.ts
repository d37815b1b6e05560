import type { Context } from "../../context.ts";
import { parseBoolean } from "../../flags/boolean.ts";

/** The value of `--autolock`, which alone means true; undefined: not said. */
export function readAutolock(value: string | boolean | undefined): boolean | undefined {
  return typeof value === "string" ? parseBoolean("autolock", value) : value;
}

/** Part of a SwarmSpec. */
export function encryptionBody(autolock: boolean | undefined): object {
  return autolock === undefined ? {} : { EncryptionConfig: { AutoLockManagers: autolock } };
}

/** The swarm's unlock key; empty when managers are not locked. */
export async function fetchUnlockKey(context: Context): Promise<string> {
  const { UnlockKey } = await context.client().get<{ UnlockKey: string }>("/swarm/unlockkey");
  return UnlockKey;
}

/** What its holder must know. Words: docker CLI. */
export function unlockInstructions(key: string): string {
  return `To unlock a swarm manager after it restarts, run the \`muster swarm unlock\`
command and provide the following key:

    ${key}

Remember to store this key in a password manager, since without it you
will not be able to restart the manager.
`;
}
