interface OfDisk {
  vdev: string
  devid: number
}

/** What happened to a disk of a domain. */
export type DiskEvent =
  /** The toolstack attached it. */
  | ({ type: 'added' } & OfDisk)
  /** The toolstack removed it. */
  | ({ type: 'removed' } & OfDisk)
  /** The guest ejected the medium of a removable disk; this has been acknowledged. */
  | ({ type: 'eject' } & OfDisk)
  /** Its backend gave it up or reports a failure, with the backend's own words in the message. */
  | ({ type: 'error'; message: string } & OfDisk)
