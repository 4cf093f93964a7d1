import { diskToNodes } from '../../libxl/disk-to-nodes.js'
import { toLibxlJson } from '../../libxl/to-libxl-json.js'
import { formatDisk } from '../../xlu/format-disk.js'
import type { DisksCommand } from '../command.js'
import { guestOf } from '../guest.js'
import type { Io } from '../io.js'
import type { DisksRead, PlacedDisk } from '../placed-disk.js'
import { resolveDisks } from '../resolve-disks.js'
import { listNodes } from './list-nodes.js'
import { oneALine } from './one-a-line.js'
import { renderArguments } from './render-arguments.js'

/**
 * The disks in the form asked for, piece by piece; errors are among the diagnostics before the first piece is asked for,
 * and where there are any there is nothing to write.
 */
export function renderDisks(
  disks: readonly PlacedDisk[],
  { config, diagnostics }: DisksRead,
  { output, guest: options, offline }: DisksCommand,
  io: Io,
): Iterable<string> {
  if (output === 'json') return map(disks, ({ disk }) => `disk: ${toLibxlJson(disk)}\n`)
  const [first] = disks
  if (first === undefined) return []
  const all = { ...first.at, end: disks.at(-1)!.at.end }
  if (output === 'spec')
    return oneALine(
      disks.map(({ disk }) => formatDisk(disk)),
      all,
      diagnostics,
    )
  const guest = guestOf(options, config, diagnostics)
  const create = config !== undefined || output === 'argv'
  const resolved = resolveDisks(disks, { guest, offline, create }, io, diagnostics)
  if (resolved === undefined) return []
  if (output === 'argv') return renderArguments(resolved, guest, all, diagnostics)
  return listNodes(resolved, disk => diskToNodes(disk, guest))
}

function* map<T>(values: readonly T[], text: (value: T) => string): Iterable<string> {
  for (const value of values) yield text(value)
}
