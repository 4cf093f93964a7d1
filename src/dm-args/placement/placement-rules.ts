/** What depends on the Xen release, and on the QEMU of its time, about where disks go and what is opened for them. */
export interface PlacementRules {
  /** The last index at which there can be a CD drive. */
  lastCdrom: number
  /** CD drives take IDE's places in their turn, as hard disks do; else QEMU makes them after all hard disks. */
  cdromsInTurn: boolean
  /** QEMU gives SCSI disks without a place the first free one, as it does on IDE. */
  scsiInTurn: boolean
  /** The last place of the SCSI bus. */
  lastScsi: number
  /** What QEMU gets of a disk that blktap serves: the socket of an NBD server, or a device. */
  tap: 'socket' | 'device'
  /** Its stub domains run this QEMU, on Linux. */
  linuxStubdoms: boolean
  /** The release knows images of the format qed. */
  qed: boolean
  /** A secondary's topmost drive has an id of libxl's; else QEMU names it by its place. */
  topId: boolean
}
