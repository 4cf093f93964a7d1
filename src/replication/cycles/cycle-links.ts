import { randomBytes } from 'node:crypto'
import type { NbdExport } from '../../nbd/nbd-export.js'
import { blockdevAdd } from '../../qmp/commands/blockdev-add.js'
import { safeTarget } from '../../qmp/safe-target.js'
import { commandTimeout } from './command-timeout.js'
import type { Monitors } from './monitors.js'
import { linkNode, liveNode, targetNode } from './names.js'
import { StallWatch } from './stall-watch.js'
import type { Timer } from './timer.js'
import { type GateSink, WriteGate } from './write-gate.js'

export interface LinksOptions {
  group: string
  /** What the nodes are for: targets of backups, which fail no write of the guest's, or children of quorums, which do not either. */
  kind: 'backup' | 'live'
  /** Where the exports are served. */
  path: string
  /** How long a request may be unanswered, in milliseconds. */
  stallLimit: number
  timer: Timer
}

/** QEMU's way to a volume of a target, while it lasts. */
interface Link {
  /** The node that is written to. */
  target: string
  /** The NBD client, which is cut: the same node, or below it. */
  link: string
  gate: WriteGate
  watch: StallWatch
}

/** The options of an NBD node for an export at a unix socket. */
const clientOptions = (nodeName: string, path: string, name: string) => ({
  driver: 'nbd',
  'node-name': nodeName,
  server: { type: 'unix', path },
  export: name,
})

/** The exports of a target, each for one connection of QEMU's, and the nodes that are their clients. */
export class CycleLinks {
  readonly #options: LinksOptions
  readonly #links = new Map<string, Link>()
  readonly #exports = new Map<string, WriteGate>()

  /** Called when the target does not answer a request in time. */
  onStall: (() => void) | undefined

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** What an NBD server at the path serves. */
  readonly exports = (name: string): NbdExport | undefined => {
    const backend = this.#exports.get(name)
    return backend && { name, backend }
  }

  /** The node of a volume that is written to, and the one that is cut. */
  of(volume: string): { target: string; link: string } | undefined {
    return this.#links.get(volume)
  }

  /** Opens a volume's nodes, which is done already for most cycles. */
  async open({ qmp }: Monitors, volume: string, sink: GateSink): Promise<void> {
    if (this.#links.has(volume)) return
    const { group, kind, path, stallLimit, timer } = this.#options
    const generation = randomBytes(4).toString('hex')
    const target = (kind === 'live' ? liveNode : targetNode)(group, volume, generation)
    const link = kind === 'live' ? target : linkNode(target)
    const name = `${volume}.${generation}`
    const watch = new StallWatch(sink, { limit: stallLimit, timer, stalled: () => this.onStall?.() })
    const gate = new WriteGate(watch)
    this.#exports.set(name, gate)
    try {
      const client = clientOptions(link, path, name)
      const node = kind === 'live' ? client : safeTarget(target, sink.size, client)
      await qmp.run(blockdevAdd, node, { timeout: commandTimeout })
    } catch (error) {
      gate.shut()
      this.#exports.delete(name)
      throw error
    }
    this.#links.set(volume, { target, link, gate, watch })
  }

  /** Takes data from now on. */
  begin(): void {
    for (const { gate } of this.#links.values()) gate.open()
  }

  /** Takes none until the next begin. @returns how many bytes there were */
  end(): number {
    let bytes = 0
    for (const { gate } of this.#links.values()) {
      bytes += gate.pause()
    }
    return bytes
  }

  /** Takes nothing any more by the nodes that there are; they are the caller's to remove. */
  shut(): void {
    for (const gate of this.#exports.values()) gate.shut()
    for (const { watch } of this.#links.values()) watch[Symbol.dispose]()
    this.#exports.clear()
    this.#links.clear()
  }
}
