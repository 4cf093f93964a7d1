import { join } from 'node:path'
import { ColoError } from '../colo/colo-error.js'
import { recordFolder } from '../colo/node/record-folder.js'
import type { RecordStore } from '../colo/records/record-store.js'
import type { Io } from '../command-line/io.js'
import { printable } from '../printable.js'
import type { Ends } from './command.js'
import { Refusal } from './refusal.js'

export interface BothRecords {
  primary: RecordStore
  secondary: RecordStore
}

/** Where both sides' records are kept: one folder serves both, as an image's path names its record. */
export function openRecords(records: Ends['records'], io: Io): BothRecords {
  const { primary, secondary } = records ?? sameFor(usualFolder(io))
  if (primary !== secondary) return { primary: recordFolder(primary), secondary: recordFolder(secondary) }
  const folder = recordFolder(primary)
  const sides = new Map<string, 'primary' | 'secondary'>()
  return { primary: ofSide(folder, 'primary', sides), secondary: ofSide(folder, 'secondary', sides) }
}

const sameFor = (folder: string) => ({ primary: folder, secondary: folder })

/** @throws Refusal where no home is known */
function usualFolder({ isRoot, env: { HOME, XDG_STATE_HOME } }: Io): string {
  if (isRoot) return '/var/lib/xenlight/colo'
  if (XDG_STATE_HOME?.startsWith('/')) return join(XDG_STATE_HOME, 'xenlight/colo')
  if (HOME?.startsWith('/')) return join(HOME, '.local/state/xenlight/colo')
  throw new Refusal('refused', 'there is no folder for records, as HOME is not set: name one with --records DIR')
}

/** Two hosts may have images of the same path, whose records must not be one. */
function ofSide(folder: RecordStore, side: 'primary' | 'secondary', sides: Map<string, string>): RecordStore {
  const check = (image: string) => {
    const before = sides.get(image)
    sides.set(image, before ?? side)
    if (before === undefined || before === side) return
    const why = `both sides have an image ${printable(image)}, which would share a record`
    throw new ColoError('record', `${why}: give each side a folder of its own, --records DIR,DIR2`)
  }
  return {
    async read(image) {
      check(image)
      return folder.read(image)
    },
    async write(image, text) {
      check(image)
      await folder.write(image, text)
    },
  }
}
