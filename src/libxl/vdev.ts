import { checkInteger, wrongType } from '../check-argument.js'
import { scanInt, strtoul } from './c-integer.js'

/** What a virtual device name stands for. */
export interface Vdev {
  /** The device number the guest sees and xenstore is indexed by; a C int. libxl takes -1 for "no such device". */
  devid: number
  /** Index of the disk, 0 for the first; absent for a plain number, from which libxl does not work it out. */
  disk?: number
  /** Index of the partition, 0 for the whole disk; absent where `disk` is. */
  partition?: number
}

interface Location {
  disk: number
  partition: number
}

const extended = 1 << 28
const maxXvdDisk = 2 ** 20 - 1
const maxXvdPartition = 255
const maxInt = 0x7fffffffn

/**
 * The device number of a virtual device name as libxl works it out (`libxl__device_disk_dev_number`): `d2p1`, `xvdb1`,
 * `hdc`, `sda3`, a plain number in decimal, octal or hexadecimal. Undefined where libxl knows no such name.
 *
 * libxl's leniencies are kept: blanks and signs before a number, a letterless `xvd` (disk -1), and names whose
 * number comes out as -1 (`xvda-1`), which libxl then refuses as it does an unknown name.
 *
 * @throws TypeError for what is no string
 */
export function parseVdev(vdev: string): Vdev | undefined {
  if (typeof vdev !== 'string') throw wrongType('vdev', 'a string', vdev)
  const xvd = readNumbered(vdev) ?? readLettered(vdev, 'xvd', maxXvdDisk, maxXvdPartition)
  if (xvd !== undefined) return { devid: xvdDevid(xvd), ...xvd }
  const devid = readPlain(vdev)
  if (devid !== undefined) return { devid }
  const hd = readLettered(vdev, 'hd', 3, 63)
  if (hd !== undefined) {
    return { devid: ((hd.disk < 2 ? 3 : 22) << 8) | ((hd.disk & 1) << 6) | hd.partition, ...hd }
  }
  const sd = readLettered(vdev, 'sd', 15, 15)
  if (sd !== undefined) return { devid: (8 << 8) | (sd.disk << 4) | sd.partition, ...sd }
  return undefined
}

/**
 * A name for a device number, so that `parseVdev` gives the number back: `xvdb1`, `hdc`, `sda3`, else the number in
 * decimal. For xvd devices equal to `libxl__devid_to_vdev`, which would call every other device xvd-something too.
 *
 * @param devid 0 to 2147483647
 * @throws RangeError for any other number: no name has it; TypeError for what is no number
 */
export function formatVdev(devid: number): string {
  checkInteger('devid', devid, 0, 0x7fffffff)
  const major = devid >> 8
  const minor = devid & 0xff
  if (major === 202) return lettered('xvd', minor >> 4, minor & 15)
  if (major === 8) return lettered('sd', minor >> 4, minor & 15)
  if ((major === 3 || major === 22) && minor < 128) {
    return lettered('hd', (major === 3 ? 0 : 2) + (minor >> 6), minor & 63)
  }
  const disk = (devid & ~extended) >> 8
  if (devid >= extended && disk <= maxXvdDisk && (disk > 15 || minor > 15)) return lettered('xvd', disk, minor)
  return String(devid)
}

const xvdDevid = ({ disk, partition }: Location): number =>
  disk <= 15 && partition <= 15 ? (202 << 8) | (disk << 4) | partition : extended | (disk << 8) | partition

/** `d<disk>p<partition>`: two C integers, the whole text. */
function readNumbered(vdev: string): Location | undefined {
  if (!vdev.startsWith('d')) return undefined
  const disk = scanInt(vdev, 1)
  if (disk === undefined || vdev[disk.end] !== 'p') return undefined
  const partition = scanInt(vdev, disk.end + 1)
  if (partition === undefined || partition.end !== vdev.length) return undefined
  if (disk.value > maxXvdDisk || partition.value > maxXvdPartition) return undefined
  return { disk: disk.value, partition: partition.value }
}

/** A prefix, letters counting disks (a … z, aa …; none at all is -1), digits for a partition. */
function readLettered(vdev: string, prefix: string, maxDisk: number, maxPartition: number): Location | undefined {
  if (!vdev.startsWith(prefix)) return undefined
  let disk = -1
  let at = prefix.length
  for (; at < vdev.length; at++) {
    const letter = vdev.charCodeAt(at) - 97
    if (letter < 0 || letter > 25) break
    disk = (disk + 1) * 26 + letter
    if (disk > maxDisk) return undefined
  }
  if (at === vdev.length) return { disk, partition: 0 }
  const partition = readPartition(vdev.slice(at), maxPartition)
  return partition === undefined ? undefined : { disk, partition }
}

/** A partition as libxl reads it: strtoul as a signed long is compared, then cut to a C int. */
function readPartition(digits: string, max: number): number | undefined {
  if (/^[1-9][0-9]{0,8}$/.test(digits)) return Number(digits) <= max ? Number(digits) : undefined
  if (digits.startsWith('0')) return undefined
  const { value, end } = strtoul(digits, 10)
  if (end !== digits.length) return undefined
  const signed = BigInt.asIntN(64, value ?? -1n)
  return signed > max ? undefined : Number(BigInt.asIntN(32, signed))
}

function readPlain(vdev: string): number | undefined {
  const { value, end } = strtoul(vdev, 0)
  return end === vdev.length && value !== undefined && value <= maxInt ? Number(value) : undefined
}

const lettered = (prefix: string, disk: number, partition: number): string =>
  prefix + diskLetters(disk) + (partition === 0 ? '' : partition)

function diskLetters(disk: number): string {
  let letters = ''
  for (let rest = disk; rest >= 0; rest = Math.floor(rest / 26) - 1)
    letters = String.fromCharCode(97 + (rest % 26)) + letters
  return letters
}
