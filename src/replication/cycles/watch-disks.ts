import type { Qmp } from '../../qmp/qmp.js'

/** What QEMU tells of jobs and media; of a snapshot or another size it tells nothing. */
const names = ['JOB_STATUS_CHANGE', 'DEVICE_TRAY_MOVED', 'DEVICE_DELETED']

/** Calls back when something happened to disks that is not ours. What it returns ends that. */
export function watchDisks(qmp: Qmp, prefixes: readonly string[], changed: () => void): () => void {
  const events = qmp.events({ names, capacity: 4096 })
  const listen = async () => {
    for await (const { data } of events) {
      const { id } = data
      if (typeof id !== 'string' || !prefixes.some(prefix => id.startsWith(prefix))) changed()
    }
  }
  // with the connection all else fails too
  listen().catch(() => {})
  return () => events[Symbol.dispose]()
}
