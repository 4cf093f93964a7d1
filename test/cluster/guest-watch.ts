import { setTimeout as pause } from 'node:timers/promises'
import { connectQmp } from 'xenlight/qmp'
import { GuestControl } from '#xenlight/cluster/colo/guest-control.js'
import { guestPlaces } from '#xenlight/cluster/colo/node/guest-places.js'
import { monitorOf } from '#xenlight/cluster/colo/node/guest-qemu.js'
import { connectSocket } from '#xenlight/link/node/socket.js'
import type { NamespaceCluster } from './namespace-cluster.js'
import type { NamespaceNode } from './namespace-node.js'

/** How long a node may take to answer, in milliseconds. */
const answerTimeout = 1000
const checkpointTimeout = 10_000

/** What was promised, and by whom. */
interface Promised {
  number: number
  node: string
}

/**
 * Watches a guest that counts, on the nodes of a cluster: asks the promoted node for checkpoints, and holds what the guest goes on behind
 * after each take-over against what was promised; and that it never runs twice.
 */
export class GuestWatch {
  readonly #cluster: NamespaceCluster
  readonly #promised: Promised[] = []
  readonly #begun = new Map<string, number>()
  #isOver = false
  #ended: Promise<void> = Promise.resolve()
  /** What must not be. */
  readonly wrong: string[] = []
  byCheckpoint = 0
  alone = 0
  boots = 0

  constructor(cluster: NamespaceCluster) {
    this.#cluster = cluster
  }

  /** The newest number that was promised. */
  get promised(): number {
    return this.#promised.at(-1)?.number ?? 0
  }

  start(): void {
    this.#ended = Promise.all([this.#promise(), this.#look()]).then(() => {})
    this.#ended.catch(error => this.wrong.push(`${error.stack}`))
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#ended.catch(() => {})
  }

  /** Asks for checkpoints, one after the other. */
  async #promise(): Promise<void> {
    while (!this.#isOver) {
      const known = this.#promised.length
      this.#lookAtBoots(known)
      for (const node of this.#cluster.nodes) {
        const promised = await this.#checkpoint(node)
        if (promised === undefined) continue
        const { number } = promised
        if (number < this.promised) this.wrong.push(`${node.name} promised ${number} after ${this.promised}`)
        this.#promised.push({ number, node: node.name })
      }
      await pause(50)
    }
  }

  /** A guest goes on behind all that was promised before it was booted. @param known how many promises were there at the last look */
  #lookAtBoots(known: number): void {
    for (const { name } of this.#cluster.nodes) {
      const begun = this.#cluster.machines.get(name)!.begun()
      const before = this.#begun.get(name) ?? 0
      this.#begun.set(name, begun.length)
      for (const number of begun.slice(before)) {
        this.boots++
        // what this node has promised since it was looked at last may have been written after it was booted
        const all = this.#promised.filter(({ node }, index) => node !== name || index < this.#knownBefore)
        const most = Math.max(0, ...all.map(({ number }) => number))
        if (number < most) this.wrong.push(`on ${name} the guest went on behind ${number}, and ${most} was promised`)
      }
    }
    this.#knownBefore = known
  }

  #knownBefore = 0

  async #checkpoint(node: NamespaceNode): Promise<Promised | undefined> {
    try {
      const number = this.#cluster.machines.get(node.name)!.newest()
      const { root } = node
      if (root === undefined) return undefined
      const path = guestPlaces(`${root}/run/xenlight/web`).controlSocket
      await using control = new GuestControl(await connectSocket({ path }, AbortSignal.timeout(answerTimeout)), path)
      const { role, pair } = await control.status({ timeout: answerTimeout })
      if (role !== 'primary' || (pair !== 'protected' && pair !== 'alone')) return undefined
      const { by } = await control.checkpoint({ timeout: checkpointTimeout })
      if (by === 'checkpoint') this.byCheckpoint++
      else this.alone++
      return { number, node: node.name }
    } catch {
      // it does not answer, or promises nothing
      return undefined
    }
  }

  /** That the guest runs on one node at most: one of two is asked before and after the other one. */
  async #look(): Promise<void> {
    const [first, second] = this.#cluster.nodes as [NamespaceNode, NamespaceNode]
    while (!this.#isOver) {
      if ((await runs(first)) && (await runs(second)) && (await runs(first)))
        this.wrong.push(`the guest ran on ${first.name} and on ${second.name}`)
      await pause(20)
    }
  }
}

async function runs(node: NamespaceNode): Promise<boolean> {
  const { root } = node
  if (root === undefined) return false
  try {
    const path = monitorOf(`${root}/run/xenlight/web`, 'monitor')
    const qmp = await connectQmp({ path }, { timeout: answerTimeout, signal: AbortSignal.timeout(answerTimeout) })
    try {
      const { running } = (await qmp.execute('query-status')) as { running: boolean }
      return running
    } finally {
      await qmp.close()
    }
  } catch {
    return false
  }
}
