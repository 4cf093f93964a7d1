import { openSync, writeSync } from 'node:fs'
import type { Test } from 'tap'
import { cont } from 'xenlight/qmp'
import { booted } from '../../../bench/colo/boot-sector.js'
import { eventually } from '../../protocol-d/eventually.js'
import type { CycleGuest } from './cycle-guest.js'
import { twoDiskSector } from './two-disk-sector.js'

/** Has the guest write numbers to both disks by turns; it prints on the debug console. */
export async function boot(t: Test, guest: CycleGuest): Promise<void> {
  const sector = guest.images.image('sector', 'raw')
  writeSync(openSync(sector, 'r+'), twoDiskSector())
  await guest.io(0, `write -s ${sector} 0 512`)
  await guest.qemu.client.run(cont)
  await eventually('the guest runs', () => guest.qemu.printed().includes(booted))
  t.teardown(() => guest.qemu.stop())
}
