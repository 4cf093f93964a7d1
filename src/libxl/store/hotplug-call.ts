import { LibxlError } from '../libxl-error.js'
import type { DiskDevice } from './disk-device.js'
import type { ScriptCall } from './disk-host.js'

export type HotplugAction = 'add' | 'remove'

/** Whether a script of the backend's domain makes the device and unmakes it (`libxl__get_hotplug_script_info`). */
export const hasHotplugScript = ({ backendKind }: DiskDevice): boolean =>
  backendKind === 'vbd' || backendKind === 'vbd3'

/**
 * How libxl calls a disk's script (`libxl__hotplug_disk`, `get_hotplug_env`).
 *
 * @throws LibxlError where there is no script, or it is not an absolute path, as every one that libxl wrote
 */
export function hotplugCall(
  { domid, devid, backendKind, paths }: DiskDevice,
  action: HotplugAction,
  script: string | undefined,
): Omit<ScriptCall, 'timeout' | 'signal'> {
  if (script === undefined) throw new LibxlError('node-missing', `unable to read script from ${paths.backend}`)
  if (!script.startsWith('/')) {
    throw new LibxlError(
      'script-invalid',
      `unable to run the script of ${paths.libxl}: ${JSON.stringify(script)} is no absolute path`,
    )
  }
  return {
    script,
    args: [action],
    env: {
      script,
      XENBUS_TYPE: backendKind,
      XENBUS_PATH: `backend/${backendKind}/${domid}/${devid}`,
      XENBUS_BASE_PATH: 'backend',
    },
  }
}
