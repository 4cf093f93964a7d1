import { closeSync, mkdirSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { findDisks } from '../../../colo/graph/find-disks.js'
import type { ConnectedSide } from '../../../colo/node/connect-side.js'
import { dirtyExtents } from '../../../colo/node/dirty-extents.js'
import type { Request } from '../../../control/control-line.js'
import { Controllers } from '../../../control/controllers.js'
import { flock } from '../../../flock.js'
import { listen } from '../../../link/node/listener.js'
import { coloPlaces } from '../../colo-agent.js'
import { everyOf } from '../../colo-parameters.js'
import { coloText } from '../../colo-text.js'
import { coloView } from '../../colo-view.js'
import { StateFile } from '../../node/state-file.js'
import type { OcfEnvironment } from '../../ocf-environment.js'
import { readGuestCommand } from '../guest-commands.js'
import { GuestNode } from '../guest-node.js'
import { GuestFiles, readPairName } from './guest-files.js'
import { foldersOf, guestPlaces } from './guest-places.js'
import { GuestQemu, monitorOf } from './guest-qemu.js'
import { PeerDoor } from './peer-door.js'
import { reachPeer } from './reach-peer.js'

/** How long to wait for the lock of one that is just ending, in milliseconds. */
const lockTimeout = 2000
/** How often it looks at its QEMU, in milliseconds. */
const lookInterval = 1000
/** For what the other node asks, in milliseconds. */
const answerTimeout = 20_000
/** How long it may take to end in order, in milliseconds. */
const closeTimeout = 5000

/** What decides which node counts. */
export interface GuestArbiter {
  mayGoOnAlone(signal: AbortSignal): Promise<void>
  isEqual(): Promise<void>
}

export interface ServeGuestOptions {
  environment: OcfEnvironment
  /** The resource's own folder, for sockets and state. */
  folder: string
  arbiter: GuestArbiter
  say(text: string): void
  /** Ends it. */
  signal: AbortSignal
}

/**
 * Runs a guest's QEMU on this node, and what keeps its disks protected, until the signal is aborted or QEMU ends.
 *
 * @returns how QEMU ended by itself; undefined where the signal did it
 * @throws Error where it cannot begin
 */
export async function serveGuest(options: ServeGuestOptions): Promise<string | undefined> {
  const { environment, folder, say, signal } = options
  const { parameters } = environment
  const { qemu: program = '', pair_file: pairFile = '' } = parameters
  const files = new GuestFiles(foldersOf(environment))
  const { lockFile, stateFile, controlSocket } = guestPlaces(folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = openSync(lockFile, 'a', 0o600)
  try {
    if (!(await flock(lock, { timeout: lockTimeout, signal }))) throw new Error('another process runs this guest')
    const record = await files.read()
    const key = readPairName(pairFile)
    await using qemu = await GuestQemu.start({ program, folder, records: files.records, lock, signal })
    const disks = await findDisks(qemu.side.qmp)
    if (disks.length === 0)
      throw new Error("QEMU has no COLO disk: give it a primary's arguments (xl-disk-parse -o argv --colo primary)")
    for (const disk of disks) files.overlaysOf(disk)
    const host = hostOf(options, { files, disks, key, own: qemu.side })
    const node = new GuestNode(host, record, dirtyExtents)
    await node.look()
    const { own, peer } = coloPlaces(environment)
    await using door = await PeerDoor.open({
      ...{ host: own.host, port: own.port, key, peer: peer.node },
      admit: visit => node.admit(visit),
      monitors: { qmp: monitorOf(folder, 'peer'), urgent: monitorOf(folder, 'peer-urgent') },
      answer: request => answerPeer(request, files, qemu.side),
    })
    node.onNewer = promotion => door.endBefore(promotion)
    const controllers = new Controllers(request => answerControl(request, node))
    await using _control = await listen({ path: controlSocket }, duplex => controllers.accept(duplex))
    const view = () => {
      const status = node.status()
      return { ...coloView(status), state: coloText(status) }
    }
    using state = new StateFile(stateFile, view, error => say(`the state file cannot be written: ${error.message}`))
    let before = ''
    node.onChange = () => {
      state.changed()
      const text = coloText(node.status())
      // how far a copy is is no news
      if (text.replaceAll(/\d+/g, '') !== before.replaceAll(/\d+/g, '')) say(text)
      before = text
    }
    node.onChange()
    const end = await untilEnd(node, qemu, signal)
    controllers.endAll()
    const closed = node.close().catch(() => {})
    // a QEMU that hangs is not waited for, and one that is gone neither
    if (end === undefined) await Promise.race([closed, delay(closeTimeout, undefined, { ref: false })])
    return end
  } finally {
    closeSync(lock)
  }
}

/** Looks at QEMU until that ends, or the signal is aborted. */
async function untilEnd(node: GuestNode, qemu: GuestQemu, signal: AbortSignal): Promise<string | undefined> {
  let isLooking = false
  const look = async () => {
    if (isLooking) return
    isLooking = true
    await node.look()
    isLooking = false
  }
  const timer = setInterval(() => void look(), lookInterval)
  const aborted = new Promise<undefined>(resolve => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined))
  })
  try {
    return await Promise.race([qemu.ended, aborted])
  } finally {
    clearInterval(timer)
  }
}

interface Parts {
  files: GuestFiles
  disks: readonly string[]
  key: string
  own: ConnectedSide
}

function hostOf({ environment, arbiter, say }: ServeGuestOptions, { files, disks, key, own }: Parts) {
  const { peer } = coloPlaces(environment)
  return {
    node: environment.node,
    peer: peer.node,
    own,
    disks,
    every: everyOf(environment),
    address: { host: peer.host, port: peer.nbdPort },
    reach: (visit: Parameters<typeof reachPeer>[1], limits: Parameters<typeof reachPeer>[2]) =>
      reachPeer({ host: peer.host, port: peer.port, key }, visit, limits),
    overlaysOf: (disk: string) => files.overlaysOf(disk),
    hasOverlays: (overlays: Parameters<GuestFiles['hasOverlays']>[0]) => files.hasOverlays(overlays),
    keep: (record: Parameters<GuestFiles['keep']>[0]) => files.keep(record),
    isSplit: () => files.isSplit(),
    setSplit: (why: string) => files.setSplit(why),
    mayGoOnAlone: (signal: AbortSignal) => arbiter.mayGoOnAlone(signal),
    isEqual: () => arbiter.isEqual(),
    say,
  }
}

/** What a primary on the other node asks; undefined where it asks what nobody can answer. */
function answerPeer({ execute, arguments: given }: Request, files: GuestFiles, own: ConnectedSide) {
  const { image, text, disks } = given
  switch (execute) {
    case 'read':
      return typeof image === 'string' ? files.records.read(image) : undefined
    case 'write':
      return typeof image === 'string' && typeof text === 'string' ? files.records.write(image, text) : undefined
    case 'prepare': {
      const isDisks = Array.isArray(disks) && disks.length > 0 && disks.every(disk => typeof disk === 'string')
      return isDisks ? files.prepare(own, disks as string[], { timeout: answerTimeout }) : undefined
    }
    default:
      return undefined
  }
}

function answerControl(request: Request, node: GuestNode): Promise<unknown> | undefined {
  const command = readGuestCommand(request)
  switch (command?.execute) {
    case 'status': {
      const status = node.status()
      return Promise.resolve({ ...status, text: coloText(status) })
    }
    case 'promote':
      return node.promote(command)
    case 'demote':
      return node.demote(command)
    case 'checkpoint':
      return node.checkpoint(command)
    case undefined:
      return undefined
  }
}
