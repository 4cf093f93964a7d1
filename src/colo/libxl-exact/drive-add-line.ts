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

/**
 * The line that libxl gives to the human monitor. libxl pastes the texts as they are, so that a comma begins another option and a
 * space another word. Only texts that stay whole are taken, which is all that can work: QEMU takes nothing else for an id either.
 *
 * @throws TypeError for a text that would be more than a name, RangeError for such a port
 */
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

/** The same refusal, before anything is sent. */
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
