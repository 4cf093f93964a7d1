import type { Limits } from '../../link/limits.js'
import { queryStatus } from '../../qmp/commands/query-status.js'
import { cont, stop } from '../../qmp/commands/stop-cont.js'
import type { Qmp } from '../../qmp/qmp.js'
import type { RemusHooks } from './remus-hooks.js'

/** A plain QEMU guest: `stop` and `cont`. One that did not run (paused, io-error) is not resumed. */
export function qemuGuest(qmp: Qmp): Required<Pick<RemusHooks, 'suspend' | 'resume'>> {
  let wasRunning = false
  return {
    async suspend(limits: Limits) {
      const { running } = await qmp.run(queryStatus, undefined, limits)
      wasRunning = running
      await qmp.run(stop, undefined, limits)
    },
    async resume(limits: Limits) {
      if (!wasRunning) return
      const { status } = await qmp.run(queryStatus, undefined, limits)
      if (status === 'paused') await qmp.run(cont, undefined, limits)
    },
  }
}
