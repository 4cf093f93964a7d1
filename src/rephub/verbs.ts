/** What the command can be asked to do, the first of its words; with its other words, and what it is for. */
export const verbs = {
  serve: { words: '', help: 'be a hub, as a configuration file or options say' },
  status: { words: ' [GROUP]', help: 'what the hub has of all groups; the exit status says it too' },
  points: { words: ' GROUP', help: 'which moments of a group can be started' },
  test: { words: ' GROUP', help: 'make a branch of a moment, for a test; the protection goes on' },
  failover: { words: ' GROUP', help: 'take over: fence the agent, and make a branch to run on' },
  arguments: { words: ' GROUP [BRANCH]', help: 'how a branch is started (default: the fail-over)' },
  read: { words: ' GROUP VOLUME', help: "write a part of a disk to standard output: its agent's, or a branch's" },
  write: { words: ' GROUP VOLUME', help: 'write standard input to a part of a disk, by its agent' },
  commit: { words: ' GROUP BRANCH', help: 'what the branch has counts: there is no way back but failback' },
  discard: { words: ' GROUP BRANCH', help: 'throw a test away, or roll a fail-over back' },
  failback: { words: ' GROUP', help: "copy what differs to the agent's disks, which count again" },
  hold: { words: ' GROUP', help: 'give the disks of its fail-over to no guest, until release' },
  release: { words: ' GROUP', help: 'give them to guests again' },
  checkpoint: { words: ' GROUP NAME', help: 'have its agent name this moment, over all disks of the group' },
  pause: { words: ' GROUP', help: 'have its agent send nothing, until resume; what is lacking is noted there' },
  resume: { words: ' GROUP', help: 'have its agent send it again' },
  stop: { words: ' GROUP', help: 'have its agent end the protection, until start: nothing is noted any more' },
  start: { words: ' GROUP', help: 'have its agent protect it again, after a compare' },
  hubs: { words: '', help: 'which hubs serve, of those that have a lease of a cluster of etcd' },
} as const

export type Verb = keyof typeof verbs

export const verbNames = Object.keys(verbs) as Verb[]
