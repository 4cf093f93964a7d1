import { diskToNodes } from '../../libxl/disk-to-nodes.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { toLibxlJson } from '../../libxl/to-libxl-json.js'
import type { Diagnostic } from '../../xlu/diagnostic.js'
import type { DisksCommand, OutputForm } from '../command.js'
import { guestOf } from '../guest.js'
import type { Io } from '../io.js'
import type { DisksRead, PlacedDisk } from '../placed-disk.js'
import { protectGuest } from '../protect/protect-guest.js'
import { guessTarget, resolveDisks } from '../resolve-disks.js'
import { listNodes } from './list-nodes.js'
import { renderAgent } from './render-agent.js'
import { renderArguments } from './render-arguments.js'
import { emptyGraph, renderGraph } from './render-graph.js'
import { specLines } from './spec-lines.js'

/**
 * The disks in the form asked for, piece by piece; errors are among the diagnostics before the first piece is asked for,
 * and where there are any there is nothing to write.
 */
export function renderDisks(
  given: readonly PlacedDisk[],
  read: DisksRead,
  command: DisksCommand,
  io: Io,
): Iterable<string> {
  const { output, guest: options, offline, argv, protect } = command
  const { config, diagnostics } = read
  if (protect === undefined && isRecord(output)) return renderRecords(output, given, diagnostics)
  const guest = guestOf(options, config, diagnostics)
  if (diagnostics.some(({ severity }) => severity === 'error')) return []
  const targetOf = (path: string) => (offline ? guessTarget(path) : io.examine(path)).target
  const protectedGuest = protect && protectGuest(given, read, protect, { guest, offline, targetOf, io })
  if (protect !== undefined && protectedGuest === undefined) return []
  const disks = protectedGuest?.disks ?? given
  if (isRecord(output)) return renderRecords(output, disks, diagnostics)
  if (output === 'agent') return renderAgent(protect!, protectedGuest!, io.hostname())
  if (disks.length === 0) return output === 'graph' || output === 'graph-dot' ? [emptyGraph(output)] : []
  const create = config !== undefined || output !== 'xenstore'
  const resolved = resolveDisks(disks, { guest, offline, create, libxlExact: argv.libxlExact }, io, diagnostics)
  if (resolved === undefined) return []
  if (output === 'xenstore') return listNodes(resolved, disk => diskToNodes(disk, guest))
  const emulated = { disks: resolved, places: disks.map(({ at }) => at), guest, diagnostics }
  if (output === 'graph' || output === 'graph-dot') return renderGraph(output, emulated, targetOf)
  const served = new Set(protectedGuest?.served.map(({ name }) => name))
  const reconnectDelay = ({ vdev }: ResolvedDisk) => (served.has(vdev) ? agentDelay : undefined)
  return renderArguments(output, emulated, argv, { targetOf, reconnectDelay })
}

/** How long an agent that was ended may take to come back, in seconds, before the guest is stopped. */
const agentDelay = 10

const isRecord = (output: OutputForm): output is 'json' | 'spec' => output === 'json' || output === 'spec'

const renderRecords = (
  output: 'json' | 'spec',
  disks: readonly PlacedDisk[],
  diagnostics: Diagnostic[],
): Iterable<string> =>
  output === 'json' ? map(disks, ({ disk }) => `disk: ${toLibxlJson(disk)}\n`) : specLines(disks, diagnostics)

function* map<T>(values: readonly T[], text: (value: T) => string): Iterable<string> {
  for (const value of values) yield text(value)
}
