import type { Placed } from '../place-disk.js'

/** A disk that QEMU shows to the guest. */
export type Shown = Exclude<Placed, { on: 'nothing' }>
