import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeDeadline } from '../../link/before-deadline.js'
import type { BlockBackend, BlockExtent, ZeroOptions } from '../../nbd/block-backend.js'
import type { NbdClient } from '../../nbd/client/nbd-client.js'
import { NbdError } from '../../nbd/nbd-error.js'
import { connectNbd } from '../../nbd/node/connect-nbd.js'
import { printable } from '../../printable.js'
import { queryNamedBlockNodes } from '../../qmp/commands/query-named-block-nodes.js'
import { connectQmp } from '../../qmp/node/connect-qmp.js'
import type { Qmp } from '../../qmp/qmp.js'
import { ReplicationError } from '../replication-error.js'

export interface StorageDaemonOptions {
  /** The image's path. */
  image: string
  format: 'qcow2'
  /** The daemon's two sockets: this path with `.nbd` and `.qmp` behind it. */
  sockets: string
  /** How long it may take to start, in milliseconds. 10,000 by default. */
  timeout?: number | undefined
}

const program = 'qemu-storage-daemon'
const exportName = 'image'
const nodePrefix = 'image-'
/** When a daemon that ends is looked for again, in milliseconds. */
const lookAgain = 50

/**
 * An image of a format of QEMU's, by a qemu-storage-daemon beneath the agent. The daemon outlives the agent: it holds writes that no flush
 * has made durable yet, and a guest goes on while its agent is started again. So one that is there already is used.
 */
export class StorageDaemon implements AsyncDisposable {
  readonly backend: BlockBackend
  /** Another one for each daemon: what was not flushed may be lost where it has changed. */
  readonly instance: string
  readonly #qmp: Qmp
  readonly #nbd: NbdClient

  private constructor(qmp: Qmp, nbd: NbdClient, instance: string) {
    this.#qmp = qmp
    this.#nbd = nbd
    this.instance = instance
    this.backend = backendOf(nbd)
  }

  /** @throws ReplicationError file-failed where there is no such program, or it refuses the image */
  static async open(options: StorageDaemonOptions): Promise<StorageDaemon> {
    const { sockets, timeout = 10_000 } = options
    const image = resolve(options.image)
    const qmp = (await running(sockets, timeout)) ?? (await started({ ...options, image }, timeout))
    try {
      const nodes = await qmp.run(queryNamedBlockNodes, { flat: true }, { timeout })
      const node = nodes.find(({ nodeName }) => nodeName.startsWith(nodePrefix))
      if (node === undefined || node.file !== image)
        throw failed(`the ${program} at ${sockets}.qmp has another image: end it, or give another socket`)
      const nbd = await connectNbd({ path: `${sockets}.nbd` }, { export: exportName, timeout })
      return new StorageDaemon(qmp, nbd, node.nodeName.slice(nodePrefix.length))
    } catch (error) {
      await qmp.close()
      throw error
    }
  }

  /** Settles with the reason when the daemon has gone. */
  get closed(): Promise<Error | undefined> {
    return this.#nbd.closed
  }

  /** Leaves the daemon as it is, for the next agent. */
  async leave(): Promise<void> {
    await this.#nbd.disconnect().catch(() => {})
    await this.#qmp.close()
  }

  /** Ends the daemon, which makes all durable. */
  async close(): Promise<void> {
    await this.#nbd.disconnect().catch(() => {})
    await this.#qmp.execute('quit', undefined, { timeout: 10_000 })
    await this.#qmp.closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** The daemon that an earlier agent has left; one that is just ending is waited for. */
async function running(sockets: string, timeout: number): Promise<Qmp | undefined> {
  for (const end = performance.now() + timeout; ; await pause(lookAgain)) {
    try {
      return await connectQmp({ path: `${sockets}.qmp` }, { timeout, signal: AbortSignal.timeout(timeout) })
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
      if (code === 'ECONNRESET' && performance.now() < end) continue
      const why =
        code === 'ETIMEDOUT' || code === 'ECANCELED' ? 'another agent has it' : printable((error as Error).message)
      throw failed(`the ${program} at ${sockets}.qmp does not answer (${why})`, error)
    }
  }
}

async function started({ image, format, sockets }: StorageDaemonOptions, timeout: number): Promise<Qmp> {
  await Promise.all([rm(`${sockets}.qmp`, { force: true }), rm(`${sockets}.nbd`, { force: true })])
  const node = `${nodePrefix}${randomBytes(8).toString('hex')}`
  // JSON, so that no path is read as an option
  const json = (value: object) => JSON.stringify(value)
  const file = { driver: 'file', filename: image }
  const args = [
    '--chardev',
    `socket,id=monitor,path=${sockets.replaceAll(',', ',,')}.qmp,server=on,wait=off`,
    '--monitor',
    'monitor',
    '--blockdev',
    json({ driver: format, 'node-name': node, discard: 'unmap', file }),
    '--nbd-server',
    json({ addr: { type: 'unix', path: `${sockets}.nbd` }, 'max-connections': 1 }),
    '--export',
    json({ type: 'nbd', id: exportName, 'node-name': node, name: exportName, writable: true }),
    '--daemonize',
  ]
  await beforeDeadline(run(args), { timeout }, ({ why }) => failed(`${program}: ${why}`))
  return connectQmp({ path: `${sockets}.qmp` }, { timeout })
}

/** With `--daemonize` it ends when the daemon has opened all. */
function run(args: readonly string[]): Promise<void> {
  const { PATH } = process.env
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: { LC_ALL: 'C', PATH },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 4096) said += text
  })
  return new Promise((done, reject) => {
    child.once('error', error => reject(failed(`cannot run ${program} (${error.message}): install it`, error)))
    // not 'close': the daemon may keep standard error
    child.once('exit', status => {
      child.stderr.destroy()
      if (status === 0) done()
      else reject(failed(`${program} refuses the image: ${printable(said.trim())}`))
    })
  })
}

const failed = (message: string, cause?: unknown) => new ReplicationError('file-failed', message, { cause })

function backendOf(nbd: NbdClient): BlockBackend {
  return {
    size: nbd.size,
    read: (offset, length) => nbd.read(offset, length),
    write: (offset, data) => nbd.write(offset, data),
    async writeZeroes(offset, length, { mayTrim, fast, signal }: ZeroOptions = {}) {
      if (fast) throw new NbdError('ENOTSUP', 'whether zeroes are fast is not known here')
      await nbd.writeZeroes(offset, length, { mayTrim, signal })
    },
    trim: (offset, length) => nbd.trim(offset, length),
    flush: () => nbd.flush(),
    blockStatus: (offset, length): Promise<BlockExtent[]> => nbd.blockStatus(offset, length),
    close: () => nbd.disconnect(),
  }
}
