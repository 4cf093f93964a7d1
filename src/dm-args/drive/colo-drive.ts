import type { Drive } from './drive.js'

/** The primary's two-way mirror; the replica joins as its second child when COLO starts. */
export const quorum = ({ filename, format }: Drive): string =>
  `children.0.file.filename=${filename},children.0.driver=${format},read-pattern=fifo,vote-threshold=1`

/** The secondary's stack: the guest's writes in the active disk, the primary's undo in the hidden one, then the export. */
export const stack = ({ colo }: Drive): string =>
  `file.driver=qcow2,file.file.filename=${colo.activeDisk},` +
  `file.backing.driver=qcow2,file.backing.file.filename=${colo.hiddenDisk},` +
  `file.backing.backing=${colo.export}`

/** The stack's topmost node. */
export const replication = (drive: Drive): string =>
  `driver=replication,mode=secondary,top-id=${drive.colo.topId},${stack(drive)}`

/** The secondary's own image, which QEMU exports to the primary; it must come before the stack that refers to it. */
export const exported = ({ file, format, colo }: Drive): string =>
  `if=none,driver=${format},file=${file},id=${colo.export}`
