/** What the command can be asked to do, the first of its words; with its other words, and what it is for. */
export const verbs = {
  probe: {
    words: ' DEVICE|drbd:RES',
    files: true,
    help: 'whether a DRBD device has checkpoints; the exit status says it too',
  },
  create: { words: ' DISK', files: true, help: 'make a node of a disk: its metadata and its log' },
  serve: {
    words: ' DISK',
    files: true,
    help: 'be a node: replicate the disk, and serve it over NBD while it is Primary',
  },
  status: { words: '', help: 'what a node that is served knows; the exit status says it too' },
  checkpoint: {
    words: ' [on|off]',
    choices: ['on', 'off'],
    help: 'one checkpoint, acknowledged; or switch checkpointing on or off',
  },
  promote: { words: '', help: 'make the node Primary' },
  alone: { words: '', help: 'let the guest of a Primary go on without a peer, instead of the arbiter' },
  demote: { words: '', help: 'make the node Secondary' },
  resync: { words: '', help: 'wait until both nodes hold the same, and show how far it is' },
  pairs: { words: '', help: 'which pairs a catalogue in etcd knows, and who has their leases' },
} as const

export type Verb = keyof typeof verbs

export const verbNames = Object.keys(verbs) as Verb[]
