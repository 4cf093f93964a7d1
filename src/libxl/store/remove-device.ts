import { setTimeout as delay } from 'node:timers/promises'
import type { Xenstore, XenstoreNodes } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import { rcByReason } from '../libxl-reason.js'
import { showState, stateOf, xenbusState } from './backend-state.js'
import { destroyDevice } from './destroy-device.js'
import type { ClaimState, DeviceClaim } from './device-claim.js'
import type { DiskHost, ScriptOutcome } from './disk-host.js'
import type { FoundDevice } from './find-device.js'
import { hasHotplugScript, hotplugCall } from './hotplug-call.js'
import { pathCleanup } from './path-cleanup.js'
import { removalTransaction } from './removal-transaction.js'
import { timeLimits } from './time-limits.js'
import { waitForState, waitUntilGone } from './wait-for-state.js'

/** How long things may take, in milliseconds. */
export interface RemoveTimeouts {
  /** The backend, to close the device: 10 s by default (LIBXL_DESTROY_TIMEOUT). A driver domain has as long again to clean up. */
  backend: number
  /** Its hotplug script: 40 s by default (LIBXL_HOTPLUG_TIMEOUT). */
  hotplug: number
  /** QEMU of a paused guest, which is not asked: 2 s by default (LIBXL_QEMU_BODGE_TIMEOUT). */
  paused: number
}

export interface RemoveOptions {
  force: boolean | 'auto'
  host: Pick<DiskHost, 'domid' | 'runScript'>
  paused: boolean
  timeouts?: Partial<Record<keyof RemoveTimeouts, number | undefined>> | undefined
  signal?: AbortSignal | undefined
  libxlExact: boolean
  /** What knows whether the device is still the one that is meant; without it, whatever stands there is removed, as libxl does. */
  claim?: DeviceClaim | undefined
}

/** How a device was removed. */
export interface RemovedDevice {
  /** It was taken from the guest without waiting for its consent. */
  forced: boolean
  /** Its backend said that it has closed it, or was gone already. */
  closed: boolean
  /** The hotplug script that was run, and how it ended; a failure is no error, as in libxl. */
  script?: ({ path: string } & ScriptOutcome) | undefined
  /** Another process removed the device before this one could. */
  byAnother?: true | undefined
}

/** What became of a device that was to be removed. */
export interface Removed extends RemovedDevice {
  /** 'held': this call removed it; 'gone': another process did; else what stands there was left alone. */
  state: ClaimState
}

/** Removes a device (`libxl__initiate_device_generic_remove` and what follows it). */
export function removeDevice(store: Xenstore, device: FoundDevice, options: RemoveOptions): Promise<Removed> {
  return new Removal(store, device, options).run()
}

/** The device is not the one any more that was to be removed. */
class LostClaim extends Error {
  readonly state: ClaimState

  constructor(state: ClaimState) {
    super(`the device is ${state}`)
    this.state = state
  }
}

type Closing = 'closed' | 'absent' | 'gone' | 'timeout'

class Removal {
  readonly #store: Xenstore
  readonly #device: FoundDevice
  readonly #options: RemoveOptions
  readonly #limits: RemoveTimeouts
  #forced: boolean

  constructor(store: Xenstore, device: FoundDevice, options: RemoveOptions) {
    this.#store = store
    this.#device = device
    this.#options = options
    this.#limits = timeLimits({ backend: 10_000, hotplug: 40_000, paused: 2000 }, options.timeouts)
    this.#forced = options.force === true
  }

  async run(): Promise<Removed> {
    try {
      return await this.#run()
    } catch (error) {
      if (error instanceof LostClaim) return this.#lost(error.state)
      const { claim, signal } = this.#options
      // what was waited for is not there any more
      if (claim?.lost.aborted && !signal?.aborted)
        return this.#lost(await claim.check(this.#store, this.#device.paths.backend, { signal }))
      throw error
    }
  }

  async #run(): Promise<Removed> {
    if (this.#isLeftToQemu) return this.#withoutQemu()
    let closing = await this.#close()
    if (closing === 'timeout' && this.#options.force === 'auto') {
      this.#forced = true
      closing = await this.#close()
    }
    if (closing === 'absent') return this.#destroyed(true)
    if (closing === 'gone' && this.#options.libxlExact) return this.#failed('backend-gone')
    if (closing === 'timeout' && (!this.#forced || this.#options.libxlExact)) return this.#failed('detach-timeout')
    return this.#afterClosing(closing !== 'timeout')
  }

  get #isOwn(): boolean {
    return this.#device.backendDomid === this.#options.host.domid
  }

  /** Ends what is under way when the caller says so, and when the device is not the one any more that is meant. */
  get #request(): { signal: AbortSignal } {
    const { signal, claim } = this.#options
    return { signal: AbortSignal.any([signal, claim?.lost].filter(one => one !== undefined)) }
  }

  /** @throws LostClaim */
  async #mustBeHeld(nodes: XenstoreNodes): Promise<void> {
    const { claim } = this.#options
    const state = (await claim?.check(nodes, this.#device.paths.backend)) ?? 'held'
    if (state !== 'held') throw new LostClaim(state)
  }

  get #statePath(): string {
    return `${this.#device.paths.backend}/state`
  }

  get #isLeftToQemu(): boolean {
    const { host, paused } = this.#options
    return paused && host.domid === 0 && this.#device.backendKind === 'qdisk'
  }

  /** It may be dying with its guest: libxl gives it a while, and takes what it served for closed. */
  async #withoutQemu(): Promise<Removed> {
    await delay(this.#limits.paused, undefined, this.#request)
    await this.#store.transaction(async nodes => {
      await this.#mustBeHeld(nodes)
      const state = stateOf(await nodes.readIfPresent(this.#statePath))
      if (state !== undefined && state !== xenbusState.closed) {
        await nodes.write(this.#statePath, String(xenbusState.closed))
      }
    }, this.#request)
    return this.#afterClosing(false)
  }

  /** Tells the backend to close the device, and waits until it has. */
  async #close(): Promise<Closing> {
    const isThere = await this.#askToClose()
    if (!isThere) return 'absent'
    const { backend: timeout } = this.#limits
    const isClosed = (state: number) => state === xenbusState.closed
    const state = await waitForState(this.#store, this.#statePath, isClosed, { ...this.#request, timeout })
    return typeof state === 'number' ? 'closed' : state
  }

  async #askToClose(): Promise<boolean> {
    const { frontend, backend } = this.#device.paths
    const body = async (nodes: XenstoreNodes): Promise<boolean> => {
      await this.#mustBeHeld(nodes)
      if (this.#forced) await pathCleanup(nodes, frontend)
      const state = stateOf(await nodes.readIfPresent(this.#statePath))
      if (state !== undefined) await nodes.write(`${backend}/online`, '0')
      if (state !== undefined && state !== xenbusState.closed) {
        await nodes.write(this.#statePath, String(xenbusState.closing))
      }
      await this.#options.claim?.checkUndisturbed()
      return state !== undefined
    }
    const mayRemove = async () => {
      await this.#mustBeHeld(this.#store)
      return true
    }
    return removalTransaction(this.#store, body, { ...this.#request, paths: this.#forced ? [frontend] : [], mayRemove })
  }

  /** The backend's end of it: a script here, or a driver domain that cleans up by itself. */
  async #afterClosing(closed: boolean): Promise<Removed> {
    if (this.#isOwn) return this.#destroyed(closed, await this.#runScript())
    const { backend: timeout } = this.#limits
    const isGone = await waitUntilGone(this.#store, this.#device.paths.backend, { ...this.#request, timeout })
    if (!isGone && (!this.#forced || this.#options.libxlExact)) return this.#failed('detach-timeout', 'driver domain')
    return this.#destroyed(closed)
  }

  async #runScript(): Promise<RemovedDevice['script']> {
    if (!hasHotplugScript(this.#device)) return undefined
    const { libxlExact, host } = this.#options
    const { libxl, backend } = this.#device.paths
    await this.#mustBeHeld(this.#store)
    const script = await this.#store.readIfPresent(`${libxlExact ? backend : libxl}/script`, this.#request)
    const { hotplug: timeout } = this.#limits
    try {
      const call = hotplugCall(this.#device, 'remove', script)
      return { path: call.script, ...(await host.runScript({ ...call, timeout, ...this.#request })) }
    } catch (error) {
      if (libxlExact || !(error instanceof LibxlError)) throw error
      return { path: script ?? '', status: undefined, reason: error.message, stderr: '' }
    }
  }

  async #destroyed(closed: boolean, script?: RemovedDevice['script']): Promise<Removed> {
    const { claim, host, signal } = this.#options
    // not ended by the claim's loss: our own removal is one, too
    const state = await destroyDevice(this.#store, this.#device, { claim, domid: host.domid, signal })
    const facts = { forced: this.#forced, closed, ...(script === undefined ? {} : { script }) }
    return state === 'held' ? { state, ...facts } : this.#lost(state, facts)
  }

  #lost(state: ClaimState, facts: RemovedDevice = { forced: this.#forced, closed: true }): Removed {
    return { state, ...facts, byAnother: true }
  }

  /** libxl fails and yet destroys the device where it was forced to. */
  async #failed(reason: 'backend-gone' | 'detach-timeout', who: 'guest' | 'driver domain' = 'guest'): Promise<never> {
    if (this.#forced) await this.#destroyed(false)
    throw new LibxlError(
      reason,
      `unable to remove device with path ${this.#device.paths.backend} - rc ${rcByReason[reason]}: ${await this.#whatIsLeft(who)}`,
    )
  }

  async #whatIsLeft(who: 'guest' | 'driver domain'): Promise<string> {
    const { vdev, backendDomid, paths } = this.#device
    const { backend: timeout } = this.#limits
    if (this.#forced) return `not closed after ${timeout} ms; it was removed all the same`
    const [backend, frontend] = (
      await Promise.all([
        this.#store.readIfPresent(this.#statePath, this.#request),
        this.#store.readIfPresent(`${paths.frontend}/state`, this.#request),
      ])
    ).map(stateOf)
    if (who === 'driver domain') {
      return (
        `timed out while waiting for it to be removed: domain ${backendDomid} has closed ${vdev} and keeps its nodes ` +
        `(is "xl devd" running there?); remove it with force`
      )
    }
    if (backend === undefined) return `its directory vanished while ${vdev} was being closed`
    return (
      `the guest still uses ${vdev} after ${timeout} ms (backend ${showState(backend)}, frontend ${showState(frontend)}); ` +
      `the detach request stays pending (online 0, state 5) and completes when the guest releases the disk: ` +
      `call removeDisk() again then, or pass force: true now`
    )
  }
}
