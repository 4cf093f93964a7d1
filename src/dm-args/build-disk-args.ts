import type { ResolvedDisk } from '../libxl/resolved-disk.js'
import { type ColoNames, libxlColoNames, safeColoNames } from './colo-names.js'
import type { DiskArgsOptions } from './disk-args-options.js'
import { refusals } from './disk-warnings.js'
import { dialectOf } from './drive/dialect-of.js'
import type { ColoDrive, DriveDialect, DriveImage } from './drive/drive.js'
import { libxlText, type OptionText, safeText, safeTextOf2016 } from './option-text.js'
import type { Image } from './placement/image.js'
import { type Emulated, isScsi } from './placement/place-disk.js'
import { placeDisks } from './placement/place-disks.js'
import { forDisk } from './refuse-disk.js'

/** What `buildDiskArgs` and `buildBlockdevArgs` give. */
export interface DiskArgs {
  /** QEMU's arguments, one string each. */
  args: string[]
  /** libxl's warnings about disks that QEMU will not emulate, then ours about what QEMU will refuse. */
  warnings: string[]
}

/**
 * QEMU's arguments for a guest's disks (`libxl__build_device_model_args_new`), in libxl's order.
 *
 * libxl pastes texts into QEMU's options as they are, and takes COLO disks that QEMU does not replicate. Unless
 * `libxlExact` is set, a path is a path and nothing more, and a COLO disk is replicated or refused: docs/departures.md.
 *
 * @throws LibxlError with libxl's reason for a read-only disk on IDE or AHCI and for two disks with one device number; for
 * a QEMU of Xen 4.7 in a stub domain; and (not `libxlExact`) for a COLO disk that would not be replicated and for a text
 * that no argument can hold. Its `warnings` are those that libxl gives before it refuses.
 * @throws TypeError or RangeError for options and disks that are none
 */
export function buildDiskArgs(disks: readonly ResolvedDisk[], options: DiskArgsOptions): DiskArgs {
  const { domainType, hdtype, dialect: release, libxlExact = false } = options ?? {}
  const dialect = dialectOf(options ?? {})
  const placement = placeDisks(disks, options, dialect, libxlExact)
  if (domainType !== 'hvm') return { args: [], warnings: [] }

  const namesOf = libxlExact ? libxlColoNames : safeColoNames(placement.settled, dialect)
  const writer = { dialect, namesOf, text: libxlExact ? libxlText : release === '4.7' ? safeTextOf2016 : safeText }
  const args: string[] = []
  if (disks.some(isScsi)) args.push(...dialect.scsiController)
  if (hdtype === 'ahci') args.push('-device', 'ahci,id=ahci0')
  const warnings: string[] = []
  for (const place of placement.placed) {
    if (place.on !== 'nothing') {
      args.push(...forDisk(place.disk, warnings, () => argsOf(place, writer)))
      continue
    }
    const warning = dialect.notEmulated(place)
    if (warning !== undefined) warnings.push(warning)
  }
  if (!libxlExact) for (const { message } of refusals(placement, dialect)) warnings.push(message)
  return { args, warnings }
}

interface Writer {
  dialect: DriveDialect
  namesOf: (disk: ResolvedDisk) => ColoNames
  text: OptionText
}

function argsOf(place: Emulated, { dialect, namesOf, text }: Writer): string[] {
  if (place.on === 'cdrom') return dialect.cdrom(place.devid, place.unit, place.image && imageTexts(place.image, text))
  const { disk, unit, role } = place
  const { file, filename, format } = imageTexts(place.image, text)
  const colo = role === 'none' ? noColo : coloDrive(place, namesOf(disk), text)
  return dialect[place.on]({ disk, unit, role, file, filename, format, colo })
}

const noColo: ColoDrive = { export: '', topId: '', activeDisk: '', hiddenDisk: '' }

function coloDrive({ disk, role }: Emulated, { export: name, topId }: ColoNames, text: OptionText): ColoDrive {
  if (role === 'primary') return { export: name, topId, activeDisk: '', hiddenDisk: '' }
  const activeDisk = text.filename(disk.activeDisk ?? '(null)')
  const hiddenDisk = text.filename(disk.hiddenDisk ?? '(null)')
  return { export: name, topId, activeDisk, hiddenDisk }
}

function imageTexts(image: Image, text: OptionText): DriveImage {
  const { format } = image
  if ('path' in image) return { file: text.file(image.path), filename: text.filename(image.path), format }
  const url = text.nbd(image)
  return { file: url, filename: url, format }
}
