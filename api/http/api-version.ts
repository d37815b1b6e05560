/** The Docker Engine API versions we speak. Requests without a version in the path get the newest. */
export const API_VERSION_MAX = "1.51";
export const API_VERSION_MIN = "1.24";

/** Splits "/v1.41/info" into its minor version and "/info"; undefined minor when the path names none. */
export function splitVersion(path: string): {
  readonly minor: number | undefined;
  readonly path: string;
} {
  const match = /^\/v1\.(\d{1,3})(\/.*)$/.exec(path);
  if (match === null) return { minor: undefined, path };
  return { minor: Number(match[1]), path: match[2] ?? "/" };
}

/** Docker's words for a version we do not speak, or undefined when we do. */
export function versionRefusal(minor: number): string | undefined {
  const max = Number(API_VERSION_MAX.slice(2));
  const min = Number(API_VERSION_MIN.slice(2));
  if (minor > max) {
    return `client version 1.${minor} is too new. Maximum supported API version is ${API_VERSION_MAX}`;
  }
  if (minor < min) {
    return `client version 1.${minor} is too old. Minimum supported API version is ${API_VERSION_MIN}, please upgrade your client to a newer version`;
  }
  return undefined;
}
