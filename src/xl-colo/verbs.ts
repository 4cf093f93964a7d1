/** What the command can be asked to do, the first of its words; with its other words, and what it is for. */
export const verbs = {
  start: { words: '', help: "make the secondary's disks equal and send writes to both" },
  status: { words: '', help: 'what is known of each disk; the exit status says it too' },
  checkpoint: { words: '', help: 'one checkpoint of a protection that is there' },
  failover: { words: '', help: 'have the secondary take over' },
  reprotect: { words: '', help: 'as start, after a failover: the roles are as given' },
  stop: { words: '', help: 'end the protection: the primary goes on alone' },
  prepare: {
    words: ' SIZE|IMAGE[:raw|qcow2] ACTIVE HIDDEN',
    files: true,
    help: "make the overlays of a secondary's disk",
  },
} as const

export type Verb = keyof typeof verbs

export const verbNames = Object.keys(verbs) as Verb[]
