import type { Command } from "commander";
import type { Access } from "./client/access.ts";
import type { Context } from "./context.ts";
import { addRefused } from "./flags/refused.ts";
import { type Add, GROUPS, TOP_LEVEL, type Verbs } from "./verbs.ts";
import { checkFlagVersions } from "./words/flag-versions.ts";
import { Verb } from "./words/verb.ts";

/**
 * The command line.
 *
 * @param setAccess receives what says where the daemon is, before any command runs.
 * @param words what is typed: only the command they name is there; where they name none, and without them, all are.
 */
export async function newProgram(
  context: Context,
  version: string,
  setAccess: (access: Access) => void,
  words?: readonly string[],
): Promise<Command> {
  const program = new Verb("muster")
    .configureOutput({ writeOut: context.print, writeErr: context.warn })
    .description("Declare services; Muster keeps them running across machines.")
    .version(`Muster version ${version}`, "-v, --version")
    .enablePositionalOptions()
    .helpOption("-h, --help", "Show how to use it")
    .helpCommand("help [command]", "Show how to use a command")
    .option("-H, --host <host>", "Daemon to talk to, unix:///path or tcp://host:port")
    .option("--tls", "Speak TLS to it; implied by --tlsverify")
    .option("--tlsverify", "Speak TLS, and verify that it is the one")
    .option("--tlscacert <file>", "Who says so (default: ca.pem in MUSTER_CERT_PATH or ~/.docker)")
    .option("--tlscert <file>", "Our certificate (default: cert.pem there)")
    .option("--tlskey <file>", "Its key (default: key.pem there)")
    .option("--config <folder>", "Where logins and certificates are (default: ~/.docker)")
    .addHelpText(
      "after",
      "\nThe environment may say so too: MUSTER_HOST, MUSTER_TLS_VERIFY, MUSTER_CERT_PATH, MUSTER_API_VERSION, or docker's.",
    );
  addRefused(program, "there are none: use --host", ["-c, --context <name>"]);
  program.hook("preAction", async (root, verb) => {
    setAccess(root.opts<Access>());
    await checkFlagVersions(verb, context.client);
  });
  await addCommands(program, context, words === undefined ? [] : program.operandsOf(words));
  return program;
}

/** Only the one that is named; all of them where none is, for help and suggestions know all. */
async function addCommands(
  program: Command,
  context: Context,
  [first = "", second = ""]: readonly string[],
): Promise<void> {
  const named = GROUPS.get(first);
  const isNamed = Object.hasOwn(named?.verbs ?? TOP_LEVEL, named === undefined ? first : second);
  for (const [name, group] of GROUPS) {
    if (isNamed && group !== named) continue;
    const command = program.command(name).description(group.description).enablePositionalOptions();
    command.helpCommand("help [command]", "Show how to use a command");
    for (const add of await load(group.verbs, isNamed ? second : undefined)) add(command, context);
  }
  if (isNamed && named !== undefined) return;
  for (const add of await load(TOP_LEVEL, isNamed ? first : undefined)) add(program, context);
}

async function load(verbs: Verbs, name: string | undefined): Promise<readonly Add[]> {
  const wanted = Object.entries(verbs).filter(([verb]) => name === undefined || verb === name);
  return Promise.all(wanted.map(([, verb]) => verb()));
}
