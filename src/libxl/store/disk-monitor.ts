import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { type FrontendKind, frontendKinds, frontendPath, libxlDevices } from '../device-paths.js'
import { LibxlError } from '../libxl-error.js'
import { codeOf } from '../system-error.js'
import { errorPath } from './backend-failure.js'
import { failureBetween, type Sight } from './backend-sight.js'
import { stateOf } from './backend-state.js'
import { DirtyWatches } from './dirty-watches.js'
import type { DiskEvent } from './disk-event.js'
import { deviceAt, type FoundDevice } from './find-device.js'

interface Known {
  device: FoundDevice
  removable: boolean
  /** Undefined while it was not looked at. */
  sight: Sight | undefined
}

interface Place {
  kind: FrontendKind
  devid: number
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
  /** Why the link of a device cannot be followed, by its directory: whether the device is still there is not known then. */
  readonly #unreadable = new Map<string, string>()
  /** The known ones by every directory in which something can happen to them. */
  #places = new Map<string, Known>()
  readonly #dirty = new Set<Known>()
  /** Devices that may have come or gone, by their directory; any may have where `#isListDirty`. */
  readonly #listed = new Map<string, Place>()
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
    this.#watches.stop()
  }

  /** What happened since the last time; waits until something did. Undefined when it was stopped. */
  async next(): Promise<DiskEvent[] | undefined> {
    for (;;) {
      const isFirst = this.#ejectDomid === undefined
      if (isFirst) await this.#start()
      else await this.#watches.changed(() => this.#isListDirty || this.#listed.size > 0 || this.#dirty.size > 0)
      const events = [...(await this.#lookAtList(isFirst)), ...(await this.#lookAtDirty())]
      if (this.#watches.stopped) return undefined
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
    if (!this.#isListDirty && this.#listed.size === 0) return []
    // before the list is read, so that nothing happens in between
    if (isFirst) this.#watch()
    const places = await this.#takeListed()
    const found = await Promise.all([...places.values()].map(place => this.#deviceAt(place)))
    const events: DiskEvent[] = []
    for (const [index, [path, place]] of [...places].entries()) {
      const device = found[index]
      const known = this.#known.get(path)
      if (device instanceof LibxlError) {
        const { message } = device
        const isNew = this.#unreadable.get(path) !== message
        this.#unreadable.set(path, message)
        if (isNew && !isFirst) events.push({ type: 'error', ...(await this.#nameAt(path, place)), message })
        continue
      }
      this.#unreadable.delete(path)
      if (device?.paths.backend === known?.device.paths.backend) continue
      if (known !== undefined) {
        this.#known.delete(path)
        this.#dirty.delete(known)
        events.push({ type: 'removed', ...nameOf(known.device) })
      }
      if (device !== undefined) {
        await this.#meet(device, isFirst)
        if (!isFirst) events.push({ type: 'added', ...nameOf(device) })
      }
    }
    this.#watch()
    return events
  }

  async #meet(device: FoundDevice, isFirst: boolean): Promise<void> {
    const { libxl } = device.paths
    const removable = (await this.#store.readIfPresent(`${libxl}/removable`, this.#request)) === '1'
    const known: Known = { device, removable, sight: isFirst ? undefined : {} }
    this.#known.set(libxl, known)
    this.#dirty.add(known)
  }

  async #takeListed(): Promise<Map<string, Place>> {
    const places = new Map(this.#listed)
    this.#listed.clear()
    if (!this.#isListDirty) return places
    this.#isListDirty = false
    for (const [path, { device }] of this.#known) places.set(path, device)
    const names = await Promise.all(frontendKinds.map(kind => this.#namesIn(libxlDevices(this.#domid, kind))))
    for (const [index, kind] of frontendKinds.entries()) {
      for (const name of names[index] ?? []) note(places, this.#domid, kind, name)
    }
    for (const path of this.#unreadable.keys()) if (!places.has(path)) this.#unreadable.delete(path)
    return places
  }

  /** The error where its link cannot be followed. */
  async #deviceAt({ kind, devid }: Place): Promise<FoundDevice | LibxlError | undefined> {
    try {
      return await deviceAt(this.#store, { domid: this.#domid, kind, devid }, this.#request)
    } catch (error) {
      if (error instanceof LibxlError) return error
      throw error
    }
  }

  async #nameAt(path: string, { devid }: Place): Promise<{ vdev: string; devid: number }> {
    const vdev = await this.#store.readIfPresent(`${path}/dev`, this.#request)
    return { vdev: vdev ?? this.#known.get(path)?.device.vdev ?? '', devid }
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
    const wanted = new Set<string>()
    for (const kind of frontendKinds) {
      const devices = libxlDevices(this.#domid, kind)
      wanted.add(devices)
      this.#watches.watch(devices, 2, name => {
        if (name === undefined) this.#isListDirty = true
        else note(this.#listed, this.#domid, kind, name)
      })
    }
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
      this.#listed.set(libxl, known.device)
      return []
    }
    const before = known.sight
    known.sight = { state: stateOf(state), online, script, error }
    const message = before === undefined ? undefined : failureBetween(known.device, before, known.sight)
    const events: DiskEvent[] = message === undefined ? [] : [{ type: 'error', ...nameOf(known.device), message }]
    if (known.removable && (await this.#acknowledgeEject(known)))
      events.push({ type: 'eject', ...nameOf(known.device) })
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
    try {
      return (await this.#store.transaction(body, this.#request)).value
    } catch (error) {
      // the guest wrote there again: a watch tells of that, and it is looked at anew
      if (codeOf(error) === 'EAGAIN') return false
      throw error
    }
  }
}

const nameOf = ({ vdev, devid }: FoundDevice) => ({ vdev, devid })

function note(places: Map<string, Place>, domid: number, kind: FrontendKind, name: string): void {
  if (/^-?[0-9]{1,10}$/.test(name)) places.set(`${libxlDevices(domid, kind)}/${name}`, { kind, devid: Number(name) })
}
