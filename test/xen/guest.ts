import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, run } from './dom0.js'

/** A disk as the guest itself sees it. */
export interface SeenDisk {
  sectors: number
  readOnly: boolean
  /** How its first 16 bytes begin, without what is no letter, digit, "_" or "-". */
  head: string
}

/** A PV guest whose console reports each disk that comes and goes, and which writes where a disk's second sector asks it to. */
export class Guest {
  readonly domid: number
  readonly #console: string

  private constructor(name: string, domid: number) {
    this.domid = domid
    this.#console = `/var/log/xen/console/guest-${name}.log`
  }

  /** xl starts QEMU for a PV guest only where the guest is created with a disk for it: `image`, of qcow2, which it has as xvdy. */
  static async create(name: string, folder: string, image?: string): Promise<Guest> {
    const config = join(folder, `${name}.cfg`)
    writeFileSync(
      config,
      [
        `name = "${name}"`,
        'type = "pv"',
        'kernel = "/nx/guest/vmlinuz"',
        'ramdisk = "/nx/guest/initrd.gz"',
        'extra = "console=hvc0 quiet"',
        'memory = 160',
        ...(image === undefined ? [] : [`disk = [ 'format=qcow2,vdev=xvdy,backendtype=qdisk,target=${image}' ]`]),
        '',
      ].join('\n'),
    )
    await run('xl', 'create', '-q', config)
    const guest = new Guest(name, Number(await run('xl', 'domid', name)))
    if (image !== undefined) await guest.sees('xvdy')
    return guest
  }

  /** The disks of the last report. */
  disks(): Map<string, SeenDisk> {
    const reports = this.#lines().filter(line => line.startsWith('GUEST-DEVS'))
    const disks = new Map<string, SeenDisk>()
    for (const [, name, sectors, ro, head] of (reports.at(-1) ?? '').matchAll(
      /(xvd[a-z]+):sectors=(\d+):ro=([01]):head=(\S*)/g,
    ))
      disks.set(name!, { sectors: Number(sectors), readOnly: ro === '1', head: head! })
    return disks
  }

  sees(vdev: string): Promise<SeenDisk> {
    return eventually(`the guest sees ${vdev}`, () => this.disks().get(vdev))
  }

  lost(vdev: string): Promise<true> {
    return eventually(`the guest no longer sees ${vdev}`, () => (this.disks().has(vdev) ? undefined : true))
  }

  /** Waits until the guest has written to a disk. */
  wrote(vdev: string): Promise<true> {
    return eventually(`the guest writes to ${vdev}`, () =>
      this.#lines().includes(`GUEST-WROTE /dev/${vdev}`) ? true : undefined,
    )
  }

  async destroy(): Promise<void> {
    await run('xl', 'destroy', String(this.domid))
  }

  #lines(): string[] {
    try {
      return readFileSync(this.#console, 'latin1').split(/[\r\n]+/)
    } catch {
      return []
    }
  }
}
