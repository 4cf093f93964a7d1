import { openSync, writeSync } from 'node:fs'
import type { Test } from 'tap'
import { cont } from 'xenlight/qmp'
import { booted, guestSector, type NumberedGuest, silentGuest } from '../../guest/numbered-guest.js'
import { eventually } from '../../protocol-d/eventually.js'
import type { CycleGuest } from './cycle-guest.js'

/** Two disks of 1 MiB. */
export const twoDisks: NumberedGuest = { ...silentGuest, disks: 2 }

/** Has the guest write numbers to both disks by turns; it prints on the debug console. */
export async function boot(t: Test, guest: CycleGuest): Promise<void> {
  const sector = guest.images.image('sector', 'raw')
  writeSync(openSync(sector, 'r+'), guestSector(twoDisks))
  await guest.io(0, `write -s ${sector} 0 512`)
  await guest.qemu.client.run(cont)
  await eventually('the guest runs', () => guest.qemu.printed().includes(booted))
  t.teardown(() => guest.qemu.stop())
}
