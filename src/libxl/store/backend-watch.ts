import type { Xenstore } from '../../xenstore/xenstore.js'
import { type BackendReason, backendFailure, errorPath, whoIsAsked, zeroSectors } from './backend-failure.js'
import { isClosing, showState, stateOf, xenbusState } from './backend-state.js'
import type { ConnectTimeouts } from './connect-limits.js'
import type { DiskDevice } from './disk-device.js'
import { unlessMissing } from './unless-missing.js'
import { waitForState, watchFor } from './wait-for-state.js'

export interface BackendWatchOptions {
  /** The domain that this process runs in. */
  domid: number
  limits: ConnectTimeouts
  signal: AbortSignal
}

/** One device's backend while it is waited for: its nodes, its state, and the error of what went wrong. */
export class BackendWatch {
  readonly device: DiskDevice
  readonly limits: ConnectTimeouts
  readonly store: Xenstore
  readonly #ownDomid: number
  readonly #signal: AbortSignal

  constructor(store: Xenstore, device: DiskDevice, { domid, limits, signal }: BackendWatchOptions) {
    this.store = store
    this.device = device
    this.limits = limits
    this.#ownDomid = domid
    this.#signal = signal
  }

  /** Whether the backend is in this process's domain. */
  get isOwn(): boolean {
    return this.device.backendDomid === this.#ownDomid
  }

  get request(): { signal: AbortSignal } {
    return { signal: this.#signal }
  }

  read(key: string): Promise<string | undefined> {
    return this.store.readIfPresent(`${this.device.paths.backend}/${key}`, this.request)
  }

  /** From libxl's own copy, to which only the toolstack writes. */
  readTrusted(key: string): Promise<string | undefined> {
    return this.store.readIfPresent(`${this.device.paths.libxl}/${key}`, this.request)
  }

  async fail(reason: BackendReason, why: string): Promise<never> {
    throw await backendFailure(this.store, this.device, reason, why, this.request)
  }

  /** A device of the same number that failed before has left its reason, which would now be taken for this one's. */
  async forgetOldError(): Promise<void> {
    if (this.isOwn) await this.store.rm(errorPath(this.device), this.request).catch(unlessMissing)
  }

  /** Waits until the backend has taken the device up. */
  async taken(isWanted: (state: number) => boolean): Promise<void> {
    const { backend: timeout } = this.limits
    const path = `${this.device.paths.backend}/state`
    const state = await waitForState(this.store, path, isWanted, { ...this.request, timeout })
    if (state === 'gone') await this.fail('backend-gone', 'its directory was removed')
    if (state === 'timeout')
      await this.fail('backend-timeout', `still ${await this.#stateNow()} after ${timeout} ms: ${this.whoIsAsked}`)
    if (typeof state === 'number' && isClosing(state)) await this.closed(state)
  }

  async #stateNow(): Promise<string> {
    return showState(stateOf(await this.read('state')))
  }

  get whoIsAsked(): string {
    return whoIsAsked(this.device, this.isOwn)
  }

  closed(state: number): Promise<never> {
    return this.fail('backend-failed', `the backend gave the device up, ${showState(state)}`)
  }

  /** Throws where the backend shows that it failed. @returns whether it is past all that can fail */
  async look(): Promise<boolean> {
    const [text, sectors, type] = await Promise.all([
      this.read('state'),
      this.read('sectors'),
      this.readTrusted('device-type'),
    ])
    const state = stateOf(text)
    if (state === undefined) return this.fail('backend-gone', 'its directory was removed')
    if (isClosing(state)) return this.closed(state)
    if (sectors === '0' && type !== 'cdrom') return this.fail('backend-failed', zeroSectors)
    return state === xenbusState.connected
  }

  /** Gives the backend a little time to connect or to fail; a guest that isn't there yet is no failure. */
  async settle(): Promise<void> {
    if (await this.look()) return
    const { settle: timeout } = this.limits
    const look = async () => ((await this.look()) ? true : undefined)
    await watchFor(this.store, this.device.paths.backend, look, { ...this.request, timeout })
  }
}
