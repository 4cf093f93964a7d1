interface OfDisk {
  /** Empty where the store has no name for it. */
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
  /**
   * Its backend gave it up or reports a failure, with the backend's own words in the message. Or the link to its backend
   * became unreadable or names another device: whether it is still attached is then unknown.
   */
  | ({ type: 'error'; message: string } & OfDisk)
