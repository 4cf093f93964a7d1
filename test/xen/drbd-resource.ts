import { mkdtempSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, run } from './dom0.js'

const peerName = 'peer'

/** Both ends of a DRBD resource in one kernel: r0 is /dev/drbd0, its peer's end r0p is /dev/drbd1, and their ports are crossed. Protocol C. */
export class DrbdResource {
  readonly #peerConfig: string
  readonly #disks: readonly string[]

  private constructor(peerConfig: string, disks: readonly string[]) {
    this.#peerConfig = peerConfig
    this.#disks = disks
  }

  /** Configures it; nothing is up yet. */
  static async configure(): Promise<DrbdResource> {
    await run('modprobe', 'drbd', 'usermode_helper=/bin/true')
    const folder = mkdtempSync(join(tmpdir(), 'drbd-'))
    const disks = await Promise.all(
      ['own', 'peer'].map(async name => {
        const file = join(folder, name)
        writeFileSync(file, '')
        truncateSync(file, 64 << 20)
        return (await run('losetup', '--find', '--show', file)).trim()
      }),
    )
    const ends = [
      `on ${hostname()} { device /dev/drbd0; disk ${disks[0]}; address 127.0.0.1:7788; meta-disk internal; }`,
      `on ${peerName} { device /dev/drbd1; disk ${disks[1]}; address 127.0.0.1:7789; meta-disk internal; }`,
    ]
    const config = (name: string) => `resource ${name} {\n  net { protocol C; }\n  ${ends.join('\n  ')}\n}\n`
    const common = 'global { usage-count no; }\ncommon { }\n'
    writeFileSync('/etc/drbd.d/global_common.conf', common)
    writeFileSync('/etc/drbd.d/r0.res', config('r0'))
    const peerConfig = join(folder, 'peer.conf')
    writeFileSync(peerConfig, `${common}${config('r0p')}`)
    return new DrbdResource(peerConfig, disks)
  }

  async up(): Promise<void> {
    await run('drbdadm', 'create-md', '--force', 'r0')
    await run('drbdadm', 'up', 'r0')
  }

  /** The peer's end comes up, and both become equal without a resync. */
  async connect(): Promise<void> {
    await this.#peer('create-md', '--force')
    await this.#peer('up')
    await this.#cstate('Connected')
    await run('drbdadm', '--', '--clear-bitmap', 'new-current-uuid', 'r0')
  }

  async disconnect(): Promise<void> {
    await run('drbdadm', 'disconnect', 'r0')
  }

  async destroy(): Promise<void> {
    await run('drbdadm', 'down', 'r0')
    await this.#peer('down').catch(() => {})
    for (const disk of this.#disks) await run('losetup', '--detach', disk)
  }

  /** drbdadm, under the peer's name for this one process. */
  async #peer(...args: string[]): Promise<void> {
    const script = `hostname ${peerName} && exec "$@"`
    await run('unshare', '--uts', 'sh', '-c', script, 'sh', 'drbdadm', '-c', this.#peerConfig, ...args, 'r0p')
  }

  #cstate(wanted: string): Promise<unknown> {
    return eventually(`r0 is ${wanted}`, async () =>
      (await run('drbdadm', 'cstate', 'r0')).trim() === wanted ? true : undefined,
    )
  }
}
