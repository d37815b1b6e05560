/** What the tests of this process have made on the machine, noted by those who make it: nothing of it may be left at the end. */
export const made = {
  /** Folders with roots of daemons and engines. */
  folders: new Set<string>(),
  /** Data roots, after which control groups and tables are named. */
  dataRoots: new Set<string>(),
  /** Names of labs. */
  labs: new Set<string>(),
};
