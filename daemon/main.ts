import { ClusterError, errorMessage } from "../core/errors.ts";
import { newLog } from "../core/log.ts";
import { packageVersion } from "../core/version.ts";
import { readConfig } from "./config.ts";
import { startDaemon } from "./daemon.ts";
import { notifySystemd } from "./notify.ts";
import { recoverOffline } from "./recovery/offline.ts";

/** The daemon stops, but not within this: then it ends all the same. Containers do not notice either. */
const CLOSE_TIMEOUT_MS = 10_000;

/** Runs `musterd` until SIGTERM or SIGINT. Ends with 1 and one line on standard error when it cannot start. */
export async function main(argv: readonly string[]): Promise<void> {
  const version = packageVersion();
  try {
    if (argv[0] === "recover") {
      await recoverOffline(argv.slice(1), (line) => void process.stdout.write(`${line}\n`));
      return;
    }
    const config = readConfig(argv, version);
    if (config === undefined) return;
    if (process.getuid?.() !== 0) {
      throw new ClusterError(
        "PermissionDenied",
        "cannot start: root is needed to make containers and networks: use sudo",
      );
    }
    const log = newLog(config.logLevel);
    const fatal = (error: unknown) => {
      log.error("this process can no longer be trusted and ends", { error: errorMessage(error) });
      process.exit(70);
    };
    const daemon = await startDaemon(config, version, log, fatal);
    log.info("started", { version, pid: process.pid });
    notifySystemd("READY=1", log);
    process.on("SIGHUP", () => {
      try {
        const read = readConfig(argv, version);
        if (read !== undefined) daemon.reload(read);
      } catch (error) {
        log.error("the configuration stays as it was", { reason: errorMessage(error) });
      }
    });
    const stop = (signal: string) => {
      log.info("stopping: containers run on", { signal });
      notifySystemd("STOPPING=1", log);
      setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
      daemon.close().then(
        () => process.exit(0),
        (error: unknown) => fatal(error),
      );
    };
    process.once("SIGTERM", stop);
    process.once("SIGINT", stop);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    process.stderr.write(`musterd: ${error.message}\n`);
    process.exit(1);
  }
}
