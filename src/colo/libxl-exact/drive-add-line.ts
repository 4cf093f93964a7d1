import { checkInteger, checkText, wrongValue } from '../../check-argument.js'

/** A disk, by what libxl names its nodes after. */
export interface LibxlDisk {
  /** Its colo-export: the drive's id. */
  name: string
  /** The number of its vdev: 768 for hda. */
  devid: number
}

/** Where the secondary listens. */
export interface LibxlAddress {
  host: string
  port: number
}

/** libxl's name of the node that stands for a disk's secondary: always the same one. */
export const libxlNodeName = (devid: number): string => `colo_node${devid}`

/** The line that libxl gives to the human monitor, with the texts pasted as they are. */
export function driveAddLine({ host, port }: LibxlAddress, { name, devid }: LibxlDisk): string {
  const options = [
    'driver=replication',
    'mode=primary',
    'file.driver=nbd',
    `file.host=${host}`,
    `file.port=${port}`,
    `file.export=${name}`,
    `node-name=${libxlNodeName(devid)}`,
  ]
  return `drive_add -n buddy ${options.join(',')}`
}

/**
 * Refuses what would be more than a name in that line: a comma begins another option there, a space another word. Nothing that works
 * is refused, as QEMU takes no such text for a drive's id, and no host is called so.
 *
 * @throws TypeError, RangeError
 */
export function checkDriveAdd({ host, port }: LibxlAddress, disks: readonly LibxlDisk[]): void {
  checkText('host', host)
  if (!/^[\w.:%[\]-]+$/.test(host)) throw wrongValue('host', 'a host name or an address', host)
  checkInteger('port', port, 1, 0x7fff_ffff)
  for (const { name, devid } of disks) {
    checkText('name', name)
    if (!/^[A-Za-z][\w.-]*$/.test(name)) throw wrongValue('name', "an export's name that QEMU takes for an id", name)
    checkInteger('devid', devid, -0x8000_0000, 0x7fff_ffff)
  }
}
