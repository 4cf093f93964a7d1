import type { DeviceDisk } from '../../libxl/device-disk.js'
import type { Diagnostic, Span } from '../../xlu/diagnostic.js'
import { formatDisk } from '../../xlu/format-disk.js'
import { remark, unwritable } from '../refusal.js'

/** A disk, and the text to point at where it cannot be written. */
interface WrittenDisk {
  disk: DeviceDisk
  at: Span
}

const fields = ['pdevPath', 'vdev', 'backendDomname', 'script'] as const satisfies (keyof DeviceDisk)[]

/** Each disk's spec on a line of its own. One that has no spec, or one of two lines, is an error; the others are given. */
export const specLines = (disks: readonly WrittenDisk[], diagnostics: Diagnostic[]): string[] =>
  disks.flatMap(({ disk, at }) => {
    try {
      const spec = formatDisk(disk)
      if (!spec.includes('\n')) return [`${spec}\n`]
      const field = fields.find(name => String(disk[name]).includes('\n'))
      const message = `this output has one a line, and ${JSON.stringify(spec)} holds a line feed`
      diagnostics.push({ ...remark('error', 'line-feed', message, at, '-o json can show it'), ...(field && { field }) })
    } catch (error) {
      diagnostics.push(unwritable(error, at))
    }
    return []
  })
