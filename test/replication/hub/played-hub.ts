import { Hub, type HubOptions } from '#xenlight/replication/hub/hub.js'
import type { HubHost } from '#xenlight/replication/hub/hub-host.js'
import { GroupJournal } from '#xenlight/replication/journal/group-journal.js'
import type { PlayedDisk } from './played-disk.js'

/** A clock that goes on by a millisecond each time it is looked at, and UUIDs that count. */
export class PlayedHost implements HubHost {
  time = 1_700_000_000_000_000
  #uuids = 0
  readonly dropped: string[] = []

  now(): number {
    this.time += 1000
    return this.time
  }

  async pause(): Promise<void> {}

  uuid(): string {
    this.#uuids++
    return `00000000-0000-4000-8000-${String(this.#uuids).padStart(12, '0')}`
  }

  /** How many NBD clients there are. */
  clients = 0

  exportClients(): number {
    return this.clients
  }

  async haveGone(): Promise<boolean> {
    await new Promise(resolve => setImmediate(resolve))
    return this.clients === 0
  }

  async dropExports(names: readonly string[]): Promise<void> {
    this.dropped.push(...names)
  }
}

/** A hub whose journals have small segments. */
export const playHub = (disk: PlayedDisk, options: Partial<HubOptions> = {}): Promise<Hub> =>
  Hub.open({
    name: 'hub-a',
    folder: disk.folder,
    host: new PlayedHost(),
    openJournal: (folder, given) => GroupJournal.open(folder, { ...given, segmentSize: 256 * 1024 }),
    ...options,
  })

/** Waits until something is so, while all else has its turns. @throws Error where it never is */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let turns = 0; turns < 20_000; turns++) {
    if (isSo()) return
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`it never came that ${what}`)
}
