import { statSync } from 'node:fs'
import {
  type BlockdevOptions,
  blockdevAdd,
  blockdevMirror,
  blockExportAdd,
  nbdServerStart,
  queryJobs,
} from 'xenlight/qmp'
import { guestSector, silentGuest } from '../../test/guest/numbered-guest.js'
import { eventually } from '../../test/protocol-d/eventually.js'
import type { Teardowns } from '../../test/protocol-d/teardowns.js'
import { type Qemu, startQemu } from '../../test/real/qemu.js'
import type { WritingGuest } from '../colo/writing-guest.js'
import { makeDisk } from './make-disk.js'
import { group, longest, Place, type PlaceOptions } from './place.js'
import { qemuNbd } from './qemu-nbd.js'

/** How the disk of a running guest is kept somewhere else as well, or is not. */
export type Keeping = 'nothing' | 'qemu-nbd' | 'inline' | 'cycles' | 'child' | 'background mirror' | 'blocking mirror'

export interface KeptGuest extends WritingGuest {
  place: Place
  /** Where others write to its disk, through its QEMU. */
  uri: string
  /** Waits until all that was written is kept. */
  untilKept(): Promise<void>
  /** An agent leaves its QEMU alone until `resume`. */
  pause(): Promise<void>
  /** Waits until the disk is kept as before. */
  resume(): Promise<void>
}

/** What a way needs. */
interface Steps {
  way?: PlaceOptions['way']
  /** The disk's node, which is called `d`, and what has to run before. */
  node(place: Place, stack: Teardowns): Promise<BlockdevOptions>
  /** Begins to keep the disk of a QEMU that runs; settles when that is under way. */
  keep?(qemu: Qemu, place: Place, stack: Teardowns): Promise<void>
  untilKept?(qemu: Qemu, place: Place): Promise<void>
}

const image = ({ image: filename }: Place, name: string) => ({
  ...{ driver: 'raw', 'node-name': name },
  file: { driver: 'file', filename },
})
const served = (path: string, exportName: string, name: string) => ({
  ...{ driver: 'nbd', 'node-name': name, export: exportName },
  server: { type: 'unix', path },
})
const imageNode = async (place: Place) => image(place, 'd')
const untilCaughtUp = (_: Qemu, place: Place) => place.untilCaughtUp()

const protect = (_: Qemu, place: Place) => place.startBoth()

const mirrorJob = 'mirror'
const mirror = (mode: 'background' | 'write-blocking'): Steps => ({
  node: imageNode,
  async keep({ client }, place, stack) {
    const [socket, target] = [place.path('m'), place.path('mirror.img')]
    makeDisk(target, { size: statSync(place.image).size })
    stack.use(await qemuNbd(socket, target))
    await client.run(blockdevAdd, served(socket, '', 'target'))
    const job = { 'job-id': mirrorJob, device: 'd', target: 'target', sync: 'full', 'copy-mode': mode } as const
    await client.run(blockdevMirror, job)
    await untilMirrored(client)
  },
  untilKept: ({ client }) => untilMirrored(client),
})

const steps: Readonly<Record<Keeping, Steps>> = {
  nothing: { node: imageNode },
  'qemu-nbd': {
    async node(place, stack) {
      const socket = place.path('q')
      stack.use(await qemuNbd(socket, place.image))
      return served(socket, '', 'd')
    },
  },
  inline: {
    async node(place) {
      await place.startBoth()
      return served(place.served.path, place.served.export, 'd')
    },
    untilKept: untilCaughtUp,
  },
  cycles: { way: 'cycles', node: imageNode, keep: protect, untilKept: untilCaughtUp },
  child: {
    way: 'child',
    node: async place => ({
      ...{ driver: 'quorum', 'node-name': 'd', 'vote-threshold': 1, 'read-pattern': 'fifo' },
      children: [image(place, 'image')],
    }),
    keep: protect,
    untilKept: untilCaughtUp,
  },
  'background mirror': mirror('background'),
  'blocking mirror': mirror('write-blocking'),
}

async function untilMirrored(client: Qemu['client']): Promise<void> {
  let last = ''
  await eventually(
    'the mirror has all',
    async () => {
      const jobs = await client.run(queryJobs)
      last = JSON.stringify(jobs)
      return jobs.some(({ id, status, current, total }) => id === mirrorJob && status === 'ready' && current === total)
    },
    () => last,
    longest,
  )
}

/** Starts a QEMU that does not run yet, whose one disk, of so many bytes, is kept that way. It boots a guest that writes numbered sectors. */
export async function keptGuest(
  stack: Teardowns,
  keeping: Keeping,
  { size, data = 0, every }: { size: number; data?: number; every?: string },
): Promise<KeptGuest> {
  const { way, node, keep, untilKept } = steps[keeping]
  const place = stack.use(new Place({ ...(way && { way }), ...(every !== undefined && { every }) }))
  makeDisk(place.image, { size, data, boot: guestSector(silentGuest) })
  const disk = ['-blockdev', JSON.stringify(await node(place, stack)), '-device', 'ide-hd,drive=d,id=disk,share-rw=on']
  const monitor = ['-qmp', `unix:${place.path('qmp')},server=on,wait=off`]
  const { qemu, refusal } = await startQemu(['-m', '16', '-debugcon', 'stdio', ...monitor, ...disk])
  if (qemu === undefined) throw new Error(refusal)
  stack.use(qemu)
  // before a job's filter is there, which then stands below the export too
  const path = place.path('e')
  await qemu.client.run(nbdServerStart, { addr: { type: 'unix', data: { path } } })
  await qemu.client.run(blockExportAdd, { type: 'nbd', id: 'e', 'node-name': 'd', name: 'd', writable: true })
  await keep?.(qemu, place, stack)
  return {
    ...{ qemu, place, image: place.image, uri: `nbd+unix:///d?socket=${path}` },
    untilKept: async () => untilKept?.(qemu, place),
    async pause() {
      if (way !== undefined) await place.ask('agent', 'pause', { group })
    },
    async resume() {
      if (way === undefined) return
      await place.ask('agent', 'resume', { group })
      // the guest writes: something is always on its way
      await place.until('the disk is protected', ({ volumes }) => volumes[0]!.state.state === 'protected')
    },
  }
}
