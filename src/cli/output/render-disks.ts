import { diskToNodes } from '../../libxl/disk-to-nodes.js'
import { toLibxlJson } from '../../libxl/to-libxl-json.js'
import type { DisksCommand } from '../command.js'
import { guestOf } from '../guest.js'
import type { Io } from '../io.js'
import type { DisksRead, PlacedDisk } from '../placed-disk.js'
import { guessTarget, resolveDisks } from '../resolve-disks.js'
import { listNodes } from './list-nodes.js'
import { renderArguments } from './render-arguments.js'
import { emptyGraph, renderGraph } from './render-graph.js'
import { specLines } from './spec-lines.js'

/**
 * The disks in the form asked for, piece by piece; errors are among the diagnostics before the first piece is asked for,
 * and where there are any there is nothing to write.
 */
export function renderDisks(
  disks: readonly PlacedDisk[],
  { config, diagnostics }: DisksRead,
  { output, guest: options, offline, argv }: DisksCommand,
  io: Io,
): Iterable<string> {
  if (output === 'json') return map(disks, ({ disk }) => `disk: ${toLibxlJson(disk)}\n`)
  const [first] = disks
  const places = disks.map(({ at }) => at)
  if (output === 'spec') return specLines(disks, diagnostics)
  const guest = guestOf(options, config, diagnostics)
  if (diagnostics.some(({ severity }) => severity === 'error')) return []
  if (first === undefined) return output === 'graph' || output === 'graph-dot' ? [emptyGraph(output)] : []
  const create = config !== undefined || output !== 'xenstore'
  const resolved = resolveDisks(disks, { guest, offline, create }, io, diagnostics)
  if (resolved === undefined) return []
  if (output === 'xenstore') return listNodes(resolved, disk => diskToNodes(disk, guest))
  const emulated = { disks: resolved, places, guest, diagnostics }
  const targetOf = (path: string) => (offline ? guessTarget(path) : io.examine(path)).target
  if (output === 'argv' || output === 'blockdev') return renderArguments(output, emulated, argv, targetOf)
  return renderGraph(output, emulated, targetOf)
}

function* map<T>(values: readonly T[], text: (value: T) => string): Iterable<string> {
  for (const value of values) yield text(value)
}
