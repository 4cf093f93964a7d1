import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { listenNbd } from 'xenlight/nbd'
import { connectQmp, type Qmp } from 'xenlight/qmp'
import type { NbdExport } from '#xenlight/nbd/nbd-export.js'
import type { CycleOptions } from '#xenlight/replication/cycles/cycle-options.js'
import type { CycleEvent } from '#xenlight/replication/cycles/cycle-outcome.js'
import { CycleRunner } from '#xenlight/replication/cycles/cycle-runner.js'
import { LiveChild } from '#xenlight/replication/cycles/live-child.js'
import type { LiveOptions } from '#xenlight/replication/cycles/live-options.js'
import type { LiveTarget } from '#xenlight/replication/cycles/live-target.js'
import { makeRawHeader } from '#xenlight/replication/node/raw-header.js'
import { socketFolder } from '../../nbd/socket-folder.js'
import { type Qemu, startQemu } from '../../real/qemu.js'
import { type DiskImages, diskImages } from '../../support/disk-images.js'
import { StagedTarget } from './staged-target.js'

export const mebibyte = 1024 * 1024

export interface CycleGuest {
  images: DiskImages
  paths: string[]
  volumes: string[]
  size: number
  format: 'raw' | 'qcow2'
  qemu: Qemu
  target: StagedTarget
  /** Starts another QEMU over the same disks; the one before must be gone. */
  restart(): Promise<void>
  /** From the next start on, each raw disk is opened through a header of its own, which is made now. */
  addHeaders(): Promise<void>
  /** Writes as the guest would; resolves when it has the answer. */
  io(disk: number, command: string): Promise<void>
  /** Another target, for volumes of that size. */
  replace(size: number): void
  /** What the guest's disk holds. */
  contents(disk: number): Promise<Buffer>
  /** The same with live children. */
  liveAgent(target: LiveTarget, options?: Partial<LiveOptions>): Promise<LiveAgent>
  /** An agent for its disks, with connections of its own; it ends with the test. */
  agent(options?: Partial<CycleOptions>): Promise<CycleAgent>
  events: CycleEvent[]
}

export interface CycleAgent {
  runner: CycleRunner
  qmp: Qmp
  /** Its limit, in milliseconds. */
  limit: number
  /** Ends it as SIGKILL would: all its connections are gone, and nothing is tidied up. */
  die(): Promise<void>
}

export interface LiveAgent {
  child: LiveChild
  qmp: Qmp
  die(): Promise<void>
}

export interface GuestSettings {
  disks?: number
  format?: 'raw' | 'qcow2'
  size?: number
  args?: readonly string[]
  /** Whether each disk is a quorum of one image, `image0` and so on. */
  quorum?: boolean
  /** Whether each disk is served by a thread of its own (virtio); IDE otherwise. */
  threads?: boolean
}

const quorumOf = (name: string, child: object) => ({
  driver: 'quorum',
  'node-name': name,
  'vote-threshold': 1,
  'read-pattern': 'fifo',
  children: [child],
})

/** A QEMU with disks, that does not run: what its guest writes is written by the test. @throws MissingRealPart */
export async function cycleGuest(t: Test, settings: GuestSettings = {}): Promise<CycleGuest> {
  const { disks = 1, format = 'qcow2', size = 4 * mebibyte, args = [], quorum = false, threads = false } = settings
  const images = diskImages(size)
  t.teardown(() => images[Symbol.dispose]())
  const volumes = Array.from({ length: disks }, (_, index) => `disk${index}`)
  const paths = volumes.map(volume => images.image(volume, format))
  const folder = socketFolder(t)
  const monitor = join(folder, 'qmp')
  const headers: object[] = []
  const image = (name: string, index: number) => {
    if (headers[index] !== undefined) return headers[index]
    return { driver: format, 'node-name': name, file: { driver: 'file', filename: paths[index] } }
  }
  const start = async () => {
    const blocks = volumes.flatMap((volume, index) => [
      ...(threads ? ['-object', `iothread,id=thread${index}`] : []),
      '-blockdev',
      JSON.stringify(quorum ? quorumOf(volume, image(`image${index}`, index)) : image(volume, index)),
      '-device',
      `${threads ? `virtio-blk-pci,iothread=thread${index}` : 'ide-hd'},drive=${volume},id=dev-${volume}`,
    ])
    const { qemu, refusal } = await startQemu([
      '-m',
      '16',
      '-qmp',
      `unix:${monitor},server=on,wait=off`,
      ...args,
      ...blocks,
    ])
    if (qemu === undefined) throw new Error(refusal)
    t.teardown(qemu.stop)
    return qemu
  }
  let sockets = 0
  const connect = async () => {
    const path = join(folder, `s${sockets++}`)
    const qmp = await connectQmp({ path: monitor })
    const disks = volumes.map(volume => ({ volume, device: `dev-${volume}` }))
    const common = { qmp, group: 'guest', replica: 'r1', disks, address: { path } }
    const start = async <Part extends { exports: (name: string) => NbdExport | undefined; close(): Promise<void> }>(
      qmp: Qmp,
      begin: () => Promise<Part>,
    ) => {
      const part = await begin().catch(async error => {
        await qmp.close()
        throw error
      })
      const server = await listenNbd({ path }, part.exports)
      const die = async () => {
        await Promise.all([qmp.close(), server.close()])
        await part.close().catch(() => {})
      }
      t.teardown(async () => {
        await part.close().catch(() => {})
        await die()
      })
      return { part, qmp, die }
    }
    return { common, start }
  }
  const guest: CycleGuest = {
    images,
    paths,
    volumes,
    size,
    format,
    events: [],
    qemu: await start(),
    target: new StagedTarget(volumes, size),
    replace(size) {
      guest.target = new StagedTarget(volumes, size)
    },
    async restart() {
      guest.qemu = await start()
    },
    async addHeaders() {
      for (const [index, image] of paths.entries()) {
        const made = await makeRawHeader({ image, header: `${image}.qcow2`, node: volumes[index]! })
        headers.push(JSON.parse(made.arguments[1]!))
      }
    },
    async io(disk, command) {
      const device = `dev-${volumes[disk]}`
      const backend = threads ? `/machine/peripheral/${device}/virtio-backend` : device
      const complaint = await guest.qemu.monitor(`qemu-io -d ${backend} "${command}"`)
      if (complaint !== '') throw new Error(complaint)
    },
    async contents(disk) {
      const path = paths[disk]!
      // what QEMU keeps of an image's tables
      await guest.io(disk, 'flush')
      if (format === 'raw') return readFileSync(path)
      const raw = join(folder, 'raw')
      execFileSync('qemu-img', ['convert', '-U', '-f', format, '-O', 'raw', path, raw])
      const bytes = readFileSync(raw)
      rmSync(raw)
      return bytes
    },
    async agent(options = {}) {
      const { common, start } = await connect()
      const { limit = 5000 } = options
      const onEvent = (event: CycleEvent) => guest.events.push(event)
      const { part: runner, ...agent } = await start(common.qmp, () =>
        CycleRunner.attach({ ...common, target: guest.target, limit, onEvent, ...options }),
      )
      return { runner, limit, ...agent }
    },
    async liveAgent(target, options = {}) {
      const { common, start } = await connect()
      const { part: child, ...agent } = await start(common.qmp, () =>
        LiveChild.open({ ...common, target, stallLimit: 5000, ...options }),
      )
      return { child, ...agent }
    },
  }
  return guest
}
