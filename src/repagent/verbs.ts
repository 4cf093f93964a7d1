/** What the command can be asked to do, the first of its words; with its other words, and what it is for. */
export const verbs = {
  serve: { words: '', help: 'be an agent, as a configuration file says' },
  protect: {
    words: ' GROUP DISK=IMAGE…',
    files: true,
    help: 'be an agent of one group, without a configuration file',
  },
  status: { words: ' [GROUP]', help: 'how all groups are protected; the exit status says it too' },
  pause: { words: ' GROUP', help: 'send the hub nothing, until resume; what it lacks is noted' },
  resume: { words: ' GROUP', help: 'send it again' },
  stop: { words: ' GROUP', help: 'end the protection, until start: nothing is noted any more' },
  start: { words: ' GROUP', help: 'protect it again, after a compare' },
  hold: { words: ' GROUP', help: 'give its disks to no guest, until a cluster promotes it, or release' },
  release: { words: ' GROUP', help: 'give its disks to guests, whatever a cluster says' },
  checkpoint: { words: ' GROUP NAME', help: 'name this moment at the hub, over all disks of the group' },
  header: {
    words: ' IMAGE HEADER [NODE]',
    files: true,
    help: 'make a qcow2 header for a raw disk, that keeps its bitmaps',
  },
} as const

export type Verb = keyof typeof verbs

export const verbNames = Object.keys(verbs) as Verb[]
