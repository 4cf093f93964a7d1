import type { DomainType } from '../../libxl/resolved-disk.js'
import { embeddedStore } from '../../xenstore/memory/index.js'
import type { ApplyCommand } from '../command.js'
import type { Io, RunningXen } from '../io.js'
import { guessTarget } from '../resolve-disks.js'

/** A Xen that exists in memory only, with the guest and the domains that the command line names. Targets are real. */
export async function openTrialXen(command: ApplyCommand, type: DomainType, io: Io): Promise<RunningXen> {
  const { guest, offline } = command
  const { domid } = guest
  const store = embeddedStore().connect()
  const domids = new Set([domid, ...guest.domains.values()])
  domids.delete(0)
  await Promise.all([
    ...[...domids].map(each => store.introduce({ domid: each, gfn: 1, eventChannel: 1 })),
    ...[...guest.domains].map(([name, each]) => store.write(`/local/domain/${each}/name`, name)),
    store.write(`/libxl/${domid}/type`, type),
    store.write(`/local/domain/${domid}/image/device-model-pid`, '1'),
  ])
  return {
    store,
    host: {
      domid: 0,
      examine: async path => (offline ? guessTarget(path) : io.examine(path)),
      createEmptyCdrom: async () => {},
      runScript: async () => ({ status: 0, stderr: '' }),
    },
    interrupted: new AbortController().signal,
    [Symbol.asyncDispose]: () => store.close(),
  }
}
