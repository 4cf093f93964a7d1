import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { type FrontendKind, frontendKinds, frontendPath, libxlDevices } from '../device-paths.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf } from '../stat-target.js'
import { errorPath, wordsOf } from './backend-failure.js'
import { isClosing, showState, stateOf } from './backend-state.js'
import { DirtyWatches } from './dirty-watches.js'
import type { DiskEvent } from './disk-events.js'
import { deviceAt, type FoundDevice } from './find-device.js'

/** What a backend showed when it was looked at. */
interface Sight {
  state?: number | undefined
  online?: string | undefined
  script?: string | undefined
  error?: string | undefined
}

interface Known {
  device: FoundDevice
  removable: boolean
  /** Undefined while it was not looked at. */
  sight: Sight | undefined
}

const above = (path: string): string => path.slice(0, path.lastIndexOf('/'))

/** Finds what happened to the disks of a domain. */
export class DiskMonitor {
  readonly #store: Xenstore
  readonly #domid: number
  readonly #request: { signal: AbortSignal | undefined }
  readonly #watches: DirtyWatches
  /** The toolstack's devices, by their directory in libxl's own tree. */
  readonly #known = new Map<string, Known>()
  /** The same by every directory in which something can happen to them. */
  #places = new Map<string, Known>()
  readonly #dirty = new Set<Known>()
  #isListDirty = false
  /** The domain in whose directory an ejected medium is told: the guest's, or its device model's. */
  #ejectDomid: number | undefined

  constructor(store: Xenstore, domid: number, signal: AbortSignal | undefined) {
    this.#store = store
    this.#domid = domid
    this.#request = { signal }
    this.#watches = new DirtyWatches(store, signal)
  }

  stop(): void {
    this.#watches.keep(new Set())
  }

  /** What happened since the last time; waits until something did. */
  async next(): Promise<DiskEvent[]> {
    for (;;) {
      const isFirst = this.#ejectDomid === undefined
      if (isFirst) await this.#start()
      else await this.#watches.changed(() => this.#isListDirty || this.#dirty.size > 0)
      const events = [...(await this.#lookAtList(isFirst)), ...(await this.#lookAtDirty())]
      if (events.length > 0) return events
    }
  }

  async #start(): Promise<void> {
    const stubdomain = await this.#store.readIfPresent(
      `/local/domain/${this.#domid}/image/device-model-domid`,
      this.#request,
    )
    this.#ejectDomid = /^[1-9][0-9]{0,4}$/.test(stubdomain ?? '') ? Number(stubdomain) : this.#domid
    this.#isListDirty = true
  }

  async #lookAtList(isFirst: boolean): Promise<DiskEvent[]> {
    if (!this.#isListDirty) return []
    this.#isListDirty = false
    // before the list is read, so that nothing happens in between
    this.#watch()
    const found = new Map((await this.#devices()).map(device => [device.paths.libxl, device]))
    const events: DiskEvent[] = []
    for (const [path, known] of this.#known) {
      if (found.get(path)?.paths.backend === known.device.paths.backend) continue
      this.#known.delete(path)
      this.#dirty.delete(known)
      events.push({ type: 'removed', ...nameOf(known) })
    }
    for (const [path, device] of found) {
      if (this.#known.has(path)) continue
      const removable = (await this.#store.readIfPresent(`${path}/removable`, this.#request)) === '1'
      const known: Known = { device, removable, sight: isFirst ? undefined : {} }
      this.#known.set(path, known)
      this.#dirty.add(known)
      if (!isFirst) events.push({ type: 'added', ...nameOf(known) })
    }
    this.#watch()
    return events
  }

  async #devices(): Promise<FoundDevice[]> {
    const found = await Promise.all(
      frontendKinds.map(async kind => {
        const devids = await this.#namesIn(libxlDevices(this.#domid, kind))
        return Promise.all(devids.map(devid => this.#deviceAt(kind, Number(devid))))
      }),
    )
    return found.flat().filter(device => device !== undefined)
  }

  async #deviceAt(kind: FrontendKind, devid: number): Promise<FoundDevice | undefined> {
    if (!Number.isInteger(devid)) return undefined
    try {
      return await deviceAt(this.#store, { domid: this.#domid, kind, devid }, this.#request)
    } catch (error) {
      // one with a backend that no disk has is none
      if (error instanceof LibxlError) return undefined
      throw error
    }
  }

  async #namesIn(path: string): Promise<string[]> {
    try {
      return await this.#store.directory(path, this.#request)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  /** Watches what is to be watched for the devices known: a directory for all that have it in common. */
  #watch(): void {
    this.#places = new Map()
    const devices = `/libxl/${this.#domid}/device`
    const wanted = new Set([devices])
    this.#watches.watch(devices, 3, () => {
      this.#isListDirty = true
    })
    for (const known of this.#known.values()) {
      const { backend } = known.device.paths
      const places = [
        backend,
        above(errorPath(known.device)),
        ...(known.removable ? [this.#ejectDirectory(known)] : []),
      ]
      for (const place of places) {
        this.#places.set(place, known)
        const directory = above(place)
        wanted.add(directory)
        this.#watches.watch(directory, 2, entry => this.#mark(directory, entry))
      }
    }
    this.#watches.keep(wanted)
  }

  #mark(directory: string, entry: string | undefined): void {
    if (entry === undefined) {
      for (const [place, known] of this.#places) if (above(place) === directory) this.#dirty.add(known)
      return
    }
    const known = this.#places.get(`${directory}/${entry}`)
    if (known !== undefined) this.#dirty.add(known)
  }

  #ejectDirectory({ device }: Known): string {
    return frontendPath(this.#ejectDomid ?? this.#domid, device.kind, device.devid)
  }

  async #lookAtDirty(): Promise<DiskEvent[]> {
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    return (await Promise.all(dirty.map(known => this.#lookAt(known)))).flat()
  }

  async #lookAt(known: Known): Promise<DiskEvent[]> {
    const { backend, libxl } = known.device.paths
    const read = (path: string) => this.#store.readIfPresent(path, this.#request)
    const [state, online, script, error, link] = await Promise.all([
      read(`${backend}/state`),
      read(`${backend}/online`),
      read(`${backend}/hotplug-error`),
      read(errorPath(known.device)),
      // last: a device that is removed meanwhile is not to be taken for one whose backend failed
      read(`${libxl}/backend`),
    ])
    if (link !== backend) {
      this.#isListDirty = true
      return []
    }
    const before = known.sight
    known.sight = { state: stateOf(state), online, script, error }
    const message = before === undefined ? undefined : failureBetween(before, known)
    const events: DiskEvent[] = message === undefined ? [] : [{ type: 'error', ...nameOf(known), message }]
    if (known.removable && (await this.#acknowledgeEject(known))) events.push({ type: 'eject', ...nameOf(known) })
    return events
  }

  /** As libxl: the word is wiped out before the event is told. In a transaction, so that a device that goes stays gone. */
  async #acknowledgeEject(known: Known): Promise<boolean> {
    const path = `${this.#ejectDirectory(known)}/eject`
    if ((await this.#store.readIfPresent(path, this.#request)) !== 'eject') return false
    const body = async (nodes: XenstoreNodes) => {
      if ((await nodes.readIfPresent(path)) !== 'eject') return false
      await nodes.write(path, '')
      return true
    }
    return (await this.#store.transaction(body, this.#request)).value
  }
}

const nameOf = ({ device }: Known) => ({ vdev: device.vdev, devid: device.devid })

/** What went wrong since a backend was looked at before. One that was told to close may close, and go. */
function failureBetween(before: Sight, { device, sight }: Known): string | undefined {
  const now = sight ?? {}
  const wasTold = (now.online ?? before.online) === '0'
  const isGone = now.state === undefined && before.state !== undefined
  const gaveUp = now.state !== undefined && isClosing(now.state) && !isClosing(before.state ?? 0)
  const what: string[] = []
  if (!wasTold && isGone) what.push("the backend's directory is gone")
  if (!wasTold && gaveUp) what.push(`the backend gave the device up, ${showState(now.state)}`)
  const script = now.script === before.script && what.length === 0 ? undefined : now.script
  // an earlier device of the same number may have left an error: a new device's first look takes it for known
  const isKnown = !('error' in before) || now.error === before.error
  const error = isKnown && what.length === 0 ? undefined : now.error
  what.push(...wordsOf(device, { script, error }))
  return what.length === 0 ? undefined : `${device.paths.backend}: ${what.join('; ')}`
}
