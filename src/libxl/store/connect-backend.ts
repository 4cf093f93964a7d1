import type { Xenstore } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import { xenbusState } from './backend-state.js'
import { BackendWatch } from './backend-watch.js'
import {
  checkHotplug,
  type HotplugOptions,
  hotplugElsewhere,
  isPluggedSoon,
  runHotplug,
  runScript,
} from './connect-hotplug.js'
import { type ConnectTimeouts, connectLimits } from './connect-limits.js'
import { deviceChanged } from './device-changed.js'
import type { DeviceClaim } from './device-claim.js'
import type { DiskDevice } from './disk-device.js'
import type { DiskHost } from './disk-host.js'
import { hasHotplugScript } from './hotplug-call.js'

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
 * @throws LibxlError device-changed where somebody else removed it meanwhile; ERROR_TIMEDOUT, ERROR_INVAL (the backend's
 * directory vanished), ERROR_ABORTED, ERROR_FAIL otherwise, with the backend's or the script's own reason
 */
export async function connectBackend(
  store: Xenstore,
  device: DiskDevice,
  { host, libxlExact = false, timeouts, signal, claim, adopt = false }: ConnectOptions,
): Promise<void> {
  const limits = connectLimits(timeouts)
  const over = AbortSignal.any([signal, claim?.lost].filter(one => one !== undefined))
  const watch = new BackendWatch(store, device, { domid: host.domid, limits, signal: over })
  const whyChanged = async (): Promise<LibxlError | undefined> => {
    const state = (await claim?.check(store, device.paths.backend)) ?? 'held'
    return state === 'held' ? undefined : deviceChanged(device, state, 'its backend was being waited for')
  }
  const isHeld = async () => (await whyChanged().catch(() => undefined)) === undefined
  const connect = libxlExact ? asLibxl : adopt ? adopted : closely
  try {
    await connect(watch, { host, signal: over, isHeld })
  } catch (error) {
    if (signal?.aborted) {
      throw new LibxlError('aborted', `adding the device ${device.paths.backend} was aborted`, { cause: signal.reason })
    }
    // what went wrong may have been with a device that is not this one any more
    throw (await whyChanged().catch(() => undefined)) ?? error
  }
  const changed = await whyChanged()
  if (changed !== undefined) throw changed
}

async function asLibxl(watch: BackendWatch, { host, signal }: HotplugOptions): Promise<void> {
  if (watch.device.backendKind === 'qdisk') return
  await watch.taken(state => state === xenbusState.initWait)
  if (watch.isOwn && hasHotplugScript(watch.device))
    await runScript(watch, { host, signal, script: await watch.read('script') })
}

async function closely(watch: BackendWatch, options: HotplugOptions): Promise<void> {
  await watch.forgetOldError()
  await watch.taken(state => state >= xenbusState.initWait)
  if (!hasHotplugScript(watch.device)) {
    await watch.look()
  } else if (watch.isOwn) {
    await runHotplug(watch, options)
  } else {
    await hotplugElsewhere(watch)
    await watch.settle()
  }
}

/** As `closely`, but a script that has run is not run again. */
async function adopted(watch: BackendWatch, options: HotplugOptions): Promise<void> {
  await watch.taken(state => state >= xenbusState.initWait)
  if (!hasHotplugScript(watch.device)) {
    await watch.look()
  } else if (!watch.isOwn) {
    await hotplugElsewhere(watch)
    await watch.settle()
  } else if (await isPluggedSoon(watch)) {
    await checkHotplug(watch, options.host)
    await watch.settle()
  } else {
    await runHotplug(watch, options)
  }
}
