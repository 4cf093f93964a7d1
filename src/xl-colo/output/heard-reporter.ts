import type { DiskState } from '../../colo/disk-state.js'
import type { Service } from '../../service/service.js'
import type { Reporter } from './reporter.js'

/** Tells the manager of the service, too, what becomes of the disks; not how far a copy is, nor of each checkpoint. */
export function heardReporter(reporter: Reporter, service: Service): Reporter {
  const kinds = new Map<string, DiskState['kind']>()
  return {
    event(event) {
      reporter.event(event)
      if (event.type !== 'state' || kinds.get(event.disk) === event.state.kind) return
      kinds.set(event.disk, event.state.kind)
      service.status([...kinds].map(([disk, kind]) => `${disk}: ${kind}`).join('; '))
    },
    say: (text, json) => reporter.say(text, json),
    warn: message => reporter.warn(message),
  }
}
