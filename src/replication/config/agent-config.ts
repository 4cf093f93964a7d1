import * as z from 'zod'
import { channelsAtMost, volumesAtMost } from '../wire/message.js'
import { bytes, time, waited } from './amounts.js'
import { hubRights } from './hub-rights.js'
import { readConfig } from './read-config.js'
import { addresses, metricsAddress, name, path, socket } from './words.js'

const rights = z.array(z.enum(hubRights)).default(['control', 'fail-back'])

/** Reports the first one that is too many. */
const atMost =
  (most: number, what: string) => (given: Readonly<Record<string, unknown>>, context: z.core.$RefinementCtx) => {
    const tooMany = Object.keys(given)[most]
    if (tooMany === undefined) return
    context.addIssue({ code: 'custom', path: [tooMany], message: `there are at most ${most} ${what}` })
  }

/** A disk whose image the agent has, and serves to QEMU. */
const inlineDisk = z.strictObject({
  image: path,
  format: z.enum(['raw', 'qcow2']).default('raw'),
  /** Where QEMU reaches it. `RUN/GROUP.DISK.sock` by default. */
  socket: socket.optional(),
})

/** A disk that a running QEMU has: the name of its block node, or of its device. */
const runningDisk = z.strictObject({ node: z.string().min(1).max(255) })

const inlineGroup = z.strictObject({
  way: z.literal('inline'),
  disks: z.record(name, inlineDisk).superRefine(atMost(volumesAtMost, 'disks of a group')),
  hubMay: rights,
  target: time.optional(),
})

const runningGroup = z.strictObject({
  way: z.enum(['cycles', 'child']),
  hubMay: rights,
  /** QEMU's monitor. */
  qmp: socket,
  /** A second monitor of the same QEMU, so that nothing that blocks the first one delays what a guest waits for. */
  urgent: socket.optional(),
  disks: z
    .record(name, runningDisk)
    .refine(disks => Object.keys(disks).length > 0, { error: 'there is no disk to protect' })
    .superRefine(atMost(volumesAtMost, 'disks of a group'))
    .superRefine((disks, context) => {
      const nodes = new Set<string>()
      for (const [disk, { node }] of Object.entries(disks)) {
        if (nodes.has(node))
          context.addIssue({ code: 'custom', path: [disk, 'node'], message: `'${node}' is another disk already` })
        nodes.add(node)
      }
    }),
  /** How often there is a consistency point. */
  every: waited.default(1000),
  /** How long a cycle may take, and a guest wait for the hub. */
  deadline: waited.default(3000),
  /** `every` and `deadline` together by default. */
  target: time.optional(),
})

/** Inline is the usual way. */
const group = z.preprocess(
  given => (typeof given === 'object' && given !== null && !('way' in given) ? { ...given, way: 'inline' } : given),
  z.discriminatedUnion('way', [inlineGroup, runningGroup]),
)

const agentConfig = z.strictObject({
  /** The agent's name; the one in its certificate where it has one. */
  name,
  /** Where the hub is; several, of hubs that stand by for each other: one after another is tried. */
  hub: addresses,
  /** The hub's name, the one in its certificate: without it, any that the authority has signed may be the hub. */
  hubName: name.optional(),
  /** A folder with ca.pem, cert.pem and key.pem. */
  tls: path.optional(),
  /** What the agent must not forget. */
  state: path,
  /** Its sockets. */
  run: path,
  control: socket.optional(),
  /** Where Prometheus scrapes metrics: without it, there are none. */
  metrics: metricsAddress.optional(),
  /** What waits for the hub, at most, for each group: in memory, and then in a file. */
  buffer: z.strictObject({ memory: bytes.default(64 * 1024 ** 2), file: bytes.default(1024 ** 3) }).prefault({}),
  /** How far the hub may be behind, in milliseconds, before it is reported. */
  target: time.default(5000),
  groups: z.record(name, group).superRefine(atMost(channelsAtMost, 'groups of an agent')),
})

/** What an agent is to do. Times are in milliseconds, sizes in bytes. */
export type AgentConfig = z.output<typeof agentConfig>

/** @throws ConfigError */
export const readAgentConfig = (text: string, file: string): AgentConfig => readConfig(text, agentConfig, file)
