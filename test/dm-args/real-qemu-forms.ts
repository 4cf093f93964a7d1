import { buildDiskArgs, type DiskArgs } from 'xenlight/dm-args'
import type { Guest } from './real-qemu-guest.js'

/** One of the ways to give QEMU disks. */
export interface Form {
  build(guest: Pick<Guest, 'disks' | 'options'>): DiskArgs
  /** Warns of what QEMU will refuse, as libxl lets it pass; else refuses it. */
  passesFaults: boolean
}

export const forms: Record<string, Form> = {
  drive: { build: ({ disks, options }) => buildDiskArgs(disks, options), passesFaults: true },
}
