import type { RequestOptions, XenstoreNodes } from '../../xenstore/xenstore.js'
import { LibxlError } from '../libxl-error.js'
import { rcByReason } from '../libxl-reason.js'
import { quoted } from './backend-state.js'
import type { DiskDevice } from './disk-device.js'
import type { ScriptOutcome } from './disk-host.js'
import type { HotplugAction } from './hotplug-call.js'

/** Where a backend's driver writes what went wrong (`xenbus_dev_error` of Linux). */
export const errorPath = ({ backendDomid, backendKind, domid, devid }: DiskDevice): string =>
  `/local/domain/${backendDomid}/error/backend/${backendKind}/${domid}/${devid}/error`

/** Why a backend does not take a device up. */
export type BackendReason = 'backend-failed' | 'backend-gone' | 'backend-timeout' | 'script-failed' | 'script-timeout'

/** That a device does not come up: where, why, and all that its backend says about it. */
export async function backendFailure(
  store: XenstoreNodes,
  device: DiskDevice,
  reason: BackendReason,
  why: string,
  request?: RequestOptions,
): Promise<LibxlError> {
  const said = await backendSays(store, device, request)
  return new LibxlError(
    reason,
    [`unable to add device with path ${device.paths.backend} - rc ${rcByReason[reason]}: ${why}`, ...said].join('; '),
  )
}

/** That a device's script failed, in libxl's words and the script's. */
export async function scriptFailure(
  store: XenstoreNodes,
  device: DiskDevice,
  { script, action, outcome }: { script: string; action: HotplugAction; outcome: ScriptOutcome },
  request?: RequestOptions,
): Promise<LibxlError> {
  const what = `${script} ${action}`
  const timedOut = outcome.status === undefined && outcome.reason === 'timed out'
  const why = timedOut ? `killing execution of ${what} because of timeout` : `${what} ${endOf(outcome)}`
  const output = lastLines(outcome.stderr)
  const said = await backendSays(store, device, request)
  const parts = [why, ...said, ...(output === '' ? [] : [`its output ends with ${quoted(output)}`])]
  return new LibxlError(
    timedOut ? 'script-timeout' : 'script-failed',
    `${parts.join('; ')} (device ${device.paths.backend})`,
  )
}

const endOf = ({ status, reason }: ScriptOutcome): string =>
  status === undefined ? `failed: ${reason ?? 'no status'}` : `exited with error status ${status}`

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-3).join('\n').slice(-300)

async function backendSays(store: XenstoreNodes, device: DiskDevice, request?: RequestOptions): Promise<string[]> {
  const read = (path: string) => store.readIfPresent(path, request).catch(() => undefined)
  const [script, error] = await Promise.all([read(`${device.paths.backend}/hotplug-error`), read(errorPath(device))])
  return wordsOf(device, { script, error })
}

/** What a script left as hotplug-error, and a driver as its error. The backend domain wrote these: they are quoted, no more. */
export const wordsOf = (
  device: DiskDevice,
  { script, error }: { script?: string | undefined; error?: string | undefined },
): string[] => [
  ...(script === undefined ? [] : [`script: ${quoted(script)}`]),
  ...(error === undefined ? [] : [`the backend: ${quoted(error)} (${errorPath(device)})`]),
]

export const zeroSectors = 'the disk has zero sectors: is its target empty, or a device with nothing behind it?'

const whoServes = {
  vbd: "is the kernel's block backend there (modprobe xen-blkback)?",
  vbd3: 'is tapback running?',
  qdisk: "QEMU's log (/var/log/xen/qemu-dm-*.log) may have the reason",
  virtio_disk: 'is its backend running?',
} as const

/** Where to look when a backend says nothing. */
export const whoIsAsked = ({ backendDomid, backendKind }: DiskDevice, isOwn: boolean): string =>
  isOwn ? whoServes[backendKind] : `does domain ${backendDomid} run a block backend and "xl devd"?`
