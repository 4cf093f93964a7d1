import { type ListedDisk, listDisks } from '../../libxl/store/list-disks.js'
import { toLibxlJson } from '../../libxl/to-libxl-json.js'
import { XenstoreError } from '../../xenstore/xenstore-error.js'
import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import type { ListCommand } from '../command.js'
import { done, refused } from '../exit-status.js'
import type { Io, RunningXen } from '../io.js'
import { specLines } from '../output/spec-lines.js'
import { hintsOnXen, libxlRefusal } from '../refusal.js'
import { report } from '../report.js'
import { writePieces } from '../write-pieces.js'
import { withBackendNames } from './with-backend-names.js'

/** Writes the disks of a running domain: all that can be read, and what is wrong with the others. */
export async function runList(command: ListCommand, io: Io): Promise<number> {
  const { domid, libxlExact } = command
  await using xen = await io.openXen()
  const signal = xen.interrupted
  const diagnostics: Diagnostic[] = []
  const at = (what?: string): Span => {
    const spec = what === undefined ? `domain ${domid}` : `domain ${domid}, ${what}`
    return { spec, start: spec.length - (what?.length ?? spec.length), end: spec.length }
  }
  const listed = await listDisks(xen.store, domid, { libxlExact, signal }).catch((error): ListedDisk[] => {
    diagnostics.push(libxlRefusal(error, at(), hintsOnXen))
    return []
  })
  if (listed.length === 0 && diagnostics.length === 0) await refuseMissingDomain(xen, domid)
  for (const { devid, error } of listed)
    if (error !== undefined) diagnostics.push(libxlRefusal(error, at(`device ${devid}`), hintsOnXen))
  const disks = listed.flatMap(({ disk }) => (disk === undefined ? [] : [disk]))
  const pieces =
    command.output === 'json'
      ? [`[${disks.map(disk => toLibxlJson(disk).trimEnd()).join(', ')}]\n`]
      : specLines(
          (await withBackendNames(disks, xen.store, { signal })).map(disk => ({ disk, at: at(disk.vdev) })),
          diagnostics,
        )
  report(diagnostics, 'text', undefined, io)
  writePieces(1, pieces, io)
  return diagnostics.length > 0 ? refused : done
}

async function refuseMissingDomain({ store }: RunningXen, domid: number): Promise<void> {
  const path = `/local/domain/${domid}`
  if ((await store.readIfPresent(path)) === undefined)
    throw new XenstoreError('ENOENT', `domain ${domid} does not exist: there is no ${path}`)
}
