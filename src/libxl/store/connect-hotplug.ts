import { scriptFailure, zeroSectors } from './backend-failure.js'
import { isClosing, quoted, stateOf, xenbusState } from './backend-state.js'
import type { BackendWatch } from './backend-watch.js'
import type { DiskHost, ScriptCall } from './disk-host.js'
import { hotplugCall } from './hotplug-call.js'
import { watchFor } from './wait-for-state.js'

type Undo = () => Promise<void>

/** What runs a device's script, and may undo what it did. */
export interface HotplugOptions {
  host: Pick<DiskHost, 'runScript' | 'sectorsOf'>
  signal: AbortSignal
  /** Whether the device is still the one that was written: the script of another's is not run. */
  isHeld: () => Promise<boolean>
}

/** Runs the script and looks at what it did; when that was nothing good, the script has been told to undo it. */
export async function runHotplug(watch: BackendWatch, { host, signal, isHeld }: HotplugOptions): Promise<void> {
  const script = await watch.readTrusted('script')
  const undo = async () => {
    // its path may be another's by now
    if (!(await isHeld())) return
    const { hotplug: timeout } = watch.limits
    await host.runScript({ ...hotplugCall(watch.device, 'remove', script), timeout })
  }
  await runScript(watch, { host, signal, script, undo })
  try {
    await checkHotplug(watch, host)
    await watch.settle()
  } catch (error) {
    await undo()
    throw error
  }
}

/**
 * Runs the script. One that was killed may be half done: it is told to `undo`; one that failed by itself has cleaned up,
 * and may have failed since what it was to set up is another guest's.
 */
export async function runScript(
  watch: BackendWatch,
  { host, signal, script, undo }: Omit<HotplugOptions, 'isHeld'> & { script: string | undefined; undo?: Undo },
): Promise<void> {
  const call = hotplugCall(watch.device, 'add', script)
  const { hotplug: timeout } = watch.limits
  const outcome = await host.runScript({ ...call, timeout, signal } satisfies ScriptCall)
  if (outcome.status === 0) return
  const failure = await scriptFailure(watch.store, watch.device, { script: call.script, action: 'add', outcome })
  if (outcome.status === undefined) await undo?.()
  throw failure
}

/** A script may end well and still have found nothing to set up. */
export async function checkHotplug(watch: BackendWatch, host: Pick<DiskHost, 'sectorsOf'>): Promise<void> {
  const [status, device, params, type] = await Promise.all([
    watch.read('hotplug-status'),
    watch.read('physical-device'),
    watch.readTrusted('params'),
    watch.readTrusted('device-type'),
  ])
  await checkStatus(watch, status)
  const isEmptyDrive = type === 'cdrom' && (params ?? '') === ''
  if (watch.device.backendKind !== 'vbd') return
  if (device === undefined && !isEmptyDrive) {
    const target = quoted(params ?? '')
    await watch.fail(
      'script-failed',
      `its script set no physical-device: is ${target} a block device or a file that it can serve?`,
    )
  }
  // the backend says so too, but not before there is a guest to connect to
  const sectors = device === undefined ? undefined : await host.sectorsOf?.(device)
  if (sectors === 0 && type !== 'cdrom') await watch.fail('backend-failed', zeroSectors)
}

async function checkStatus(watch: BackendWatch, status: string | undefined): Promise<void> {
  if (status === 'error' || status === 'busy')
    await watch.fail('script-failed', `its script left hotplug-status ${quoted(status)}`)
}

/** Whether the script has set the device up; whoever attached the device may still be running it. */
export async function isPluggedSoon(watch: BackendWatch): Promise<boolean> {
  const look = async (): Promise<true | undefined> => {
    const [status, device] = await Promise.all([watch.read('hotplug-status'), watch.read('physical-device')])
    return status !== undefined || device !== undefined ? true : undefined
  }
  const { settle: timeout } = watch.limits
  return (await watchFor(watch.store, watch.device.paths.backend, look, { ...watch.request, timeout })) ?? false
}

/** Waits for the script of a device in a driver domain: that domain runs it, and says there how it went. */
export async function hotplugElsewhere(watch: BackendWatch): Promise<void> {
  const { hotplug: timeout } = watch.limits
  const look = async (): Promise<true | undefined> => {
    const [status, text] = await Promise.all([watch.read('hotplug-status'), watch.read('state')])
    const state = stateOf(text)
    await checkStatus(watch, status)
    if (state === undefined) return watch.fail('backend-gone', 'its directory was removed')
    if (isClosing(state)) return watch.closed(state)
    return status === 'connected' || state > xenbusState.initWait ? true : undefined
  }
  const done = await watchFor(watch.store, watch.device.paths.backend, look, { ...watch.request, timeout })
  if (done === undefined)
    await watch.fail('script-timeout', `no hotplug-status after ${timeout} ms: ${watch.whoIsAsked}`)
}
