import { parseVdev } from 'xenlight'
import { type ColoPair, type ConnectedSide, connectSide, failOver, type PairOptions, protectPair } from 'xenlight/colo'
import * as libxl from '#xenlight/colo/libxl-exact/sequence.js'
import { takeOverDisks } from '#xenlight/colo/take-over/take-over-disks.js'
import { pairOptions, type QemuPair, type QemuSide } from '../colo-pair.js'
import type { TcpProxy } from '../tcp-proxy.js'

/** For each command, in milliseconds: a third of libxl's, so that a run is soon over. */
const timeout = 1500

/** One way to keep a pair. Nothing throws for what the way itself reports. */
export interface Way {
  /** Whether it takes the disks for protected. `equal` says that both sides hold the same. */
  protect(primary: QemuSide, secondary: QemuSide, equal: boolean): Promise<boolean>
  /** Whether it takes the checkpoint for taken. */
  checkpoint(): Promise<boolean>
  /** `commit` has the libxl way write the overlays into the disks, for what is not about its failover. */
  takeOver(side: QemuSide, options?: { commit?: boolean }): Promise<void>
  /** The primary is to go on alone. */
  detach(): Promise<void>
}

/** The connections of a way, each to a monitor of its own. */
class Connections implements AsyncDisposable {
  readonly #sides = new Map<QemuSide, ConnectedSide>()
  readonly #pair: QemuPair

  constructor(pair: QemuPair) {
    this.#pair = pair
  }

  async to(side: QemuSide): Promise<ConnectedSide> {
    const { directory, records } = this.#pair
    const path = `${directory}/qmp-${this.#pair.monitorOf(side.qemu)}`
    const connected = this.#sides.get(side) ?? (await connectSide({ qmp: { path }, records }, { timeout: 5000 }))
    this.#sides.set(side, connected)
    return connected
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sides = [...this.#sides.values()]
    this.#sides.clear()
    await Promise.all(sides.map(side => side[Symbol.asyncDispose]()))
  }
}

export type WayName = 'libxl' | 'ours'

export const ways: Record<WayName, (pair: QemuPair, link: TcpProxy, connections: Connections) => Way> = {
  libxl: (pair, link, connections) => {
    const { host, port, primary: first, names } = pair
    const disks = names.map((name, index) => ({ name, devid: parseVdev(first.disks[index]!.vdev!)!.devid }))
    let [here, there]: ConnectedSide[] = []
    return {
      async protect(primary, secondary) {
        ;[here, there] = [await connections.to(primary), await connections.to(secondary)]
        const started = await libxl.startSecondary(there.qmp, { disks, host, port, timeout })
        if (!started.believed) return false
        return (await libxl.startPrimary(here.qmp, { disks, host, port: link.port, timeout })).believed
      },
      checkpoint: async () =>
        (await libxl.checkpoint({ primary: here!.qmp, secondary: there!.qmp }, { timeout })).believed,
      async takeOver(side, { commit = false } = {}) {
        const { qmp } = await connections.to(side)
        if (commit) await takeOverDisks(qmp, { disks: names, timeout: 10_000 })
        else await libxl.failOver(qmp, { disks })
      },
      detach: async () => void (await libxl.tearDownPrimary(here!.qmp, { disks, timeout })),
    }
  },
  ours: (pair, link, connections) => {
    const { host, port, names: disks } = pair
    let epoch = 0
    let kept: ColoPair | undefined
    return {
      async protect(primary, secondary, equal) {
        epoch++
        const sides = { primary: await connections.to(primary), secondary: await connections.to(secondary) }
        const heartbeat = { every: 50, timeout: 500, stall: 1000 }
        const options: PairOptions = { ...pairOptions(pair, primary, secondary, epoch), ...sides, heartbeat, timeout }
        const made = protectPair({ ...options, port: link.port, listen: { host, port }, equal })
        kept = await made.catch(() => undefined)
        return kept !== undefined && [...kept.states.values()].every(({ kind }) => kind === 'protected')
      },
      checkpoint: () =>
        kept!.checkpoint().then(
          () => true,
          () => false,
        ),
      async takeOver(side) {
        await kept?.[Symbol.asyncDispose]()
        epoch++
        await failOver({ secondary: await connections.to(side), disks, epoch, force: 'the primary is lost' })
      },
      detach: async () => kept?.stop(),
    }
  },
}

export { Connections }
