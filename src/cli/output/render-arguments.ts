import { buildBlockdevArgs } from '../../dm-args/blockdev/build-blockdev-args.js'
import type { BlockdevOptions } from '../../dm-args/blockdev/plan-disks.js'
import { buildDiskArgs } from '../../dm-args/build-disk-args.js'
import { blockdevWarnings, diskWarnings } from '../../dm-args/disk-warnings.js'
import type { ArgvOptions } from '../command.js'
import { type EmulatedDisks, tellOf, wholeSpan } from './emulated-disks.js'
import { ended, oneALine } from './one-a-line.js'

/** QEMU's arguments for the disks, one a line, in libxl's form or in that of `-blockdev`. */
export function renderArguments(
  form: 'argv' | 'blockdev',
  emulated: EmulatedDisks,
  { dialect, libxlExact, end }: ArgvOptions,
  blockdev: Pick<BlockdevOptions, 'targetOf' | 'reconnectDelay'>,
): Iterable<string> {
  const { disks, guest } = emulated
  const built =
    form === 'argv'
      ? tellOf(
          emulated,
          () => diskWarnings(disks, { ...guest, dialect, libxlExact }),
          () => buildDiskArgs(disks, { ...guest, dialect, libxlExact }),
        )
      : tellOf(
          emulated,
          () => blockdevWarnings(disks, guest),
          () => buildBlockdevArgs(disks, { ...guest, ...blockdev }),
        )
  const args = built?.args ?? []
  if (end === '\0') return ended(args, end)
  return oneALine(args, wholeSpan(emulated.places), emulated.diagnostics, 'with -0 an argument ends with a NUL byte')
}
