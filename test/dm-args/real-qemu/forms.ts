import { statSync } from 'node:fs'
import { buildBlockdevArgs, buildDiskArgs, type DiskArgs } from 'xenlight/dm-args'
import type { Guest } from './guest.js'

/** One of the ways to give QEMU disks. */
export interface Form {
  build(guest: Pick<Guest, 'disks' | 'options'>): DiskArgs
  /** Lets pass what libxl lets pass, but warns of what QEMU will refuse. The other form gives every disk its place. */
  lenient: boolean
}

export const forms = {
  drive: { build: ({ disks, options }) => buildDiskArgs(disks, options), lenient: true },
  blockdev: {
    build: ({ disks, options }) => buildBlockdevArgs(disks, { ...options, targetOf }),
    lenient: false,
  },
} satisfies Record<string, Form>

const targetOf = (path: string) => (statSync(path).isBlockDevice() ? 'block' : 'file')
