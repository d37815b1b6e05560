import type { ImageConfig } from "../../runtime/image/types.ts";

/** An image that says nothing of how it is run. */
export const SILENT_IMAGE: ImageConfig = {
  entrypoint: [],
  cmd: [],
  env: [],
  user: "",
  workdir: "",
  labels: {},
  exposedPorts: [],
  volumes: [],
  stopSignal: "",
  healthcheck: undefined,
};
