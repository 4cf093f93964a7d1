import type { Xenstore } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import {
  type BackendReason,
  backendFailure,
  errorPath,
  scriptFailure,
  whoIsAsked,
  zeroSectors,
} from './backend-failure.js'
import { isClosing, quoted, showState, stateOf, xenbusState } from './backend-state.js'
import { deviceChanged } from './device-changed.js'
import type { DeviceClaim } from './device-claim.js'
import type { DiskDevice } from './disk-device.js'
import type { DiskHost, ScriptCall } from './disk-host.js'
import { hasHotplugScript, hotplugCall } from './hotplug-call.js'
import { timeLimits } from './time-limits.js'
import { unlessMissing } from './unless-missing.js'
import { waitForState, watchFor } from './wait-for-state.js'

/** How long things may take, in milliseconds. */
export interface ConnectTimeouts {
  /** The backend, to take the device up: 10 s by default (LIBXL_INIT_TIMEOUT). */
  backend: number
  /** Its hotplug script: 40 s by default (LIBXL_HOTPLUG_TIMEOUT). */
  hotplug: number
  /** The backend again, to fail after that, or to connect: 1 s by default. A guest that isn't there yet is no failure. */
  settle: number
}

/** @throws RangeError for what is no number of milliseconds */
export const connectLimits = (
  timeouts: Partial<Record<keyof ConnectTimeouts, number | undefined>> | undefined,
): ConnectTimeouts => timeLimits({ backend: 10_000, hotplug: 40_000, settle: 1000 }, timeouts)

export interface ConnectOptions {
  host: Pick<DiskHost, 'domid' | 'runScript' | 'sectorsOf'>
  /** Wait as long and look as close as libxl does: never for QEMU, nor for a driver domain's script, nor for zero sectors. */
  libxlExact?: boolean | undefined
  timeouts?: Partial<Record<keyof ConnectTimeouts, number | undefined>> | undefined
  signal?: AbortSignal | undefined
  /** What knows whether the device is still the one that was written; the waiting ends when it is not. */
  claim?: DeviceClaim | undefined
  /** The device was written earlier, perhaps by a process that died since: what has been done is not done again. */
  adopt?: boolean | undefined
}

/**
 * Waits until the backend has taken up a device whose nodes were just written, and runs its hotplug script where the backend
 * is in this process's domain (`libxl__wait_device_connection` and what follows it). When it fails, its script has been run
 * again to undo what it did (not with `libxlExact`); the nodes are the caller's.
 *
 * @throws LibxlError device-changed where somebody else removed it meanwhile; ERROR_TIMEDOUT, ERROR_INVAL (the backend's directory vanished), ERROR_ABORTED, ERROR_FAIL otherwise,
 * with the backend's or the script's own reason
 */
export async function connectBackend(
  store: Xenstore,
  device: DiskDevice,
  { host, libxlExact = false, timeouts, signal, claim, adopt = false }: ConnectOptions,
): Promise<void> {
  const limits = connectLimits(timeouts)
  const over = AbortSignal.any([signal, claim?.lost].filter(one => one !== undefined))
  const attempt = new Attempt(store, device, { host, limits, signal: over, claim })
  try {
    await (libxlExact ? attempt.asLibxl() : adopt ? attempt.adopted() : attempt.closely())
  } catch (error) {
    if (signal?.aborted) {
      throw new LibxlError('aborted', `adding the device ${device.paths.backend} was aborted`, { cause: signal.reason })
    }
    // what went wrong may have been with a device that is not this one any more
    throw (await attempt.whyChanged().catch(() => undefined)) ?? error
  }
  const changed = await attempt.whyChanged()
  if (changed !== undefined) throw changed
}

interface AttemptOptions {
  host: ConnectOptions['host']
  limits: ConnectTimeouts
  signal: AbortSignal
  claim: DeviceClaim | undefined
}

class Attempt {
  readonly #store: Xenstore
  readonly #device: DiskDevice
  readonly #host: ConnectOptions['host']
  readonly #limits: ConnectTimeouts
  readonly #signal: AbortSignal
  readonly #claim: DeviceClaim | undefined

  constructor(store: Xenstore, device: DiskDevice, { host, limits, signal, claim }: AttemptOptions) {
    this.#store = store
    this.#device = device
    this.#host = host
    this.#limits = limits
    this.#signal = signal
    this.#claim = claim
  }

  /** That the device is not the one any more that was written; undefined where it is. */
  async whyChanged(): Promise<LibxlError | undefined> {
    const state = (await this.#claim?.check(this.#store, this.#device.paths.backend)) ?? 'held'
    return state === 'held' ? undefined : deviceChanged(this.#device, state, 'its backend was being waited for')
  }

  async asLibxl(): Promise<void> {
    if (this.#device.backendKind === 'qdisk') return
    await this.#taken(state => state === xenbusState.initWait)
    if (this.#isOwn && hasHotplugScript(this.#device)) await this.#runScript(await this.#read('script'))
  }

  async closely(): Promise<void> {
    await this.#forgetOldError()
    await this.#taken(state => state >= xenbusState.initWait)
    if (!hasHotplugScript(this.#device)) {
      await this.#look()
    } else if (this.#isOwn) {
      await this.#ownHotplug()
    } else {
      await this.#hotplugElsewhere()
      await this.#settle()
    }
  }

  /** As `closely`, but a script that has run is not run again. */
  async adopted(): Promise<void> {
    await this.#taken(state => state >= xenbusState.initWait)
    if (!hasHotplugScript(this.#device)) {
      await this.#look()
    } else if (!this.#isOwn) {
      await this.#hotplugElsewhere()
      await this.#settle()
    } else if (await this.#isPluggedSoon()) {
      await this.#checkHotplug()
      await this.#settle()
    } else {
      await this.#ownHotplug()
    }
  }

  /** Whether the script has set the device up; whoever attached the device may still be running it. */
  async #isPluggedSoon(): Promise<boolean> {
    const look = async (): Promise<true | undefined> => {
      const [status, device] = await Promise.all([this.#read('hotplug-status'), this.#read('physical-device')])
      return status !== undefined || device !== undefined ? true : undefined
    }
    const { settle: timeout } = this.#limits
    return (await watchFor(this.#store, this.#device.paths.backend, look, { ...this.#request, timeout })) ?? false
  }

  get #isOwn(): boolean {
    return this.#device.backendDomid === this.#host.domid
  }

  get #request(): { signal: AbortSignal } {
    return { signal: this.#signal }
  }

  #read(key: string): Promise<string | undefined> {
    return this.#store.readIfPresent(`${this.#device.paths.backend}/${key}`, this.#request)
  }

  /** From libxl's own copy, to which only the toolstack writes. */
  #readTrusted(key: string): Promise<string | undefined> {
    return this.#store.readIfPresent(`${this.#device.paths.libxl}/${key}`, this.#request)
  }

  async #fail(reason: BackendReason, why: string): Promise<never> {
    throw await backendFailure(this.#store, this.#device, reason, why, this.#request)
  }

  /** A device of the same number that failed before has left its reason, which would now be taken for this one's. */
  async #forgetOldError(): Promise<void> {
    if (this.#isOwn) await this.#store.rm(errorPath(this.#device), this.#request).catch(unlessMissing)
  }

  async #taken(isWanted: (state: number) => boolean): Promise<void> {
    const { backend: timeout } = this.#limits
    const path = `${this.#device.paths.backend}/state`
    const state = await waitForState(this.#store, path, isWanted, { ...this.#request, timeout })
    if (state === 'gone') await this.#fail('backend-gone', 'its directory was removed')
    if (state === 'timeout')
      await this.#fail('backend-timeout', `still ${await this.#stateNow()} after ${timeout} ms: ${this.#whoIsAsked}`)
    if (typeof state === 'number' && isClosing(state)) await this.#closed(state)
  }

  async #stateNow(): Promise<string> {
    return showState(stateOf(await this.#read('state')))
  }

  get #whoIsAsked(): string {
    return whoIsAsked(this.#device, this.#isOwn)
  }

  #closed(state: number): Promise<never> {
    return this.#fail('backend-failed', `the backend gave the device up, ${showState(state)}`)
  }

  /** Throws where the backend shows that it failed. @returns whether it is past all that can fail */
  async #look(): Promise<boolean> {
    const [text, sectors, type] = await Promise.all([
      this.#read('state'),
      this.#read('sectors'),
      this.#readTrusted('device-type'),
    ])
    const state = stateOf(text)
    if (state === undefined) return this.#fail('backend-gone', 'its directory was removed')
    if (isClosing(state)) return this.#closed(state)
    if (sectors === '0' && type !== 'cdrom') return this.#fail('backend-failed', zeroSectors)
    return state === xenbusState.connected
  }

  async #settle(): Promise<void> {
    if (await this.#look()) return
    const { settle: timeout } = this.#limits
    const look = async () => ((await this.#look()) ? true : undefined)
    await watchFor(this.#store, this.#device.paths.backend, look, { ...this.#request, timeout })
  }

  async #ownHotplug(): Promise<void> {
    const script = await this.#readTrusted('script')
    const undo = async () => {
      // its path may be another's by now
      if ((await this.whyChanged().catch(() => undefined)) !== undefined) return
      const { hotplug: timeout } = this.#limits
      await this.#host.runScript({ ...hotplugCall(this.#device, 'remove', script), timeout })
    }
    await this.#runScript(script, undo)
    try {
      await this.#checkHotplug()
      await this.#settle()
    } catch (error) {
      await undo()
      throw error
    }
  }

  /**
   * Runs the script. One that was killed may be half done: it is told to `undo`; one that failed by itself has cleaned up,
   * and may have failed since what it was to set up is another guest's.
   */
  async #runScript(script: string | undefined, undo?: () => Promise<void>): Promise<void> {
    const call = hotplugCall(this.#device, 'add', script)
    const { hotplug: timeout } = this.#limits
    const outcome = await this.#host.runScript({ ...call, timeout, signal: this.#signal } satisfies ScriptCall)
    if (outcome.status === 0) return
    const context = { script: call.script, action: 'add', outcome } as const
    const failure = await scriptFailure(this.#store, this.#device, context)
    if (outcome.status === undefined) await undo?.()
    throw failure
  }

  /** A script may end well and still have found nothing to set up. */
  async #checkHotplug(): Promise<void> {
    const [status, device, params, type] = await Promise.all([
      this.#read('hotplug-status'),
      this.#read('physical-device'),
      this.#readTrusted('params'),
      this.#readTrusted('device-type'),
    ])
    if (status === 'error' || status === 'busy')
      await this.#fail('script-failed', `its script left hotplug-status ${quoted(status)}`)
    const isEmptyDrive = type === 'cdrom' && (params ?? '') === ''
    if (this.#device.backendKind !== 'vbd') return
    if (device === undefined && !isEmptyDrive) {
      const target = quoted(params ?? '')
      await this.#fail(
        'script-failed',
        `its script set no physical-device: is ${target} a block device or a file that it can serve?`,
      )
    }
    // the backend says so too, but not before there is a guest to connect to
    const sectors = device === undefined ? undefined : await this.#host.sectorsOf?.(device)
    if (sectors === 0 && type !== 'cdrom') await this.#fail('backend-failed', zeroSectors)
  }

  /** Its own domain runs the script of a device in a driver domain, and says there how it went. */
  async #hotplugElsewhere(): Promise<void> {
    const { hotplug: timeout } = this.#limits
    const look = async (): Promise<true | undefined> => {
      const [status, text] = await Promise.all([this.#read('hotplug-status'), this.#read('state')])
      const state = stateOf(text)
      if (status === 'error' || status === 'busy')
        return this.#fail('script-failed', `its script left hotplug-status ${quoted(status)}`)
      if (state === undefined) return this.#fail('backend-gone', 'its directory was removed')
      if (isClosing(state)) return this.#closed(state)
      return status === 'connected' || state > xenbusState.initWait ? true : undefined
    }
    const done = await watchFor(this.#store, this.#device.paths.backend, look, { ...this.#request, timeout })
    if (done === undefined)
      await this.#fail('script-timeout', `no hotplug-status after ${timeout} ms: ${this.#whoIsAsked}`)
  }
}
