/** What the command can be asked to do, the first of its words; with its other words, and what it is for. */
export const verbs = {
  install: {
    words: ' [DIR]',
    files: true,
    help: 'write the resource agents (default: /usr/lib/ocf/resource.d/xenlight)',
  },
  force: { words: ' RESOURCE NODE', help: 'let that node be promoted with what it has, for a reason that is recorded' },
  ocf: { words: ' TYPE ACTION', help: 'what a resource agent is: an action, by the environment that OCF defines' },
  arbiter: { words: ' alone|equal NUMBER', help: 'what a node of a resource asks before it goes on alone' },
  serve: {
    words: ' FOLDER',
    files: true,
    help: "what ocf:xenlight:colo starts: a guest's QEMU, and what replicates its disks",
  },
} as const

export type Verb = keyof typeof verbs

export const verbNames = Object.keys(verbs) as Verb[]
