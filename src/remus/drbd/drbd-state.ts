/** What is known of one volume of a DRBD resource, in DRBD's words; absent what its tools do not say. */
export interface DrbdState {
  resource: string
  volume: number
  /** The minor number: 0 is /dev/drbd0. */
  minor: number
  role?: string | undefined
  disk?: string | undefined
  peers: readonly DrbdPeer[]
}

export interface DrbdPeer {
  connection?: string | undefined
  role?: string | undefined
  disk?: string | undefined
}
