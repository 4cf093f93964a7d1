import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs } from 'xenlight/dm-args'
import { median, table } from './statistics.js'

const rounds = 41
const domainsARound = 4_096

const colo = (name: string) =>
  `colo,colo-host=192.168.100.2,colo-port=9000,colo-export=${name},active-disk=/srv/xen/${name}-a.qcow2,hidden-disk=/srv/xen/${name}-h.qcow2`

/** Domains of six disks, which is as many as there are places for without AHCI. */
const domains = {
  plain: ['vdev=xvda', 'format=qcow2,vdev=hdb', 'cdrom,vdev=hdc', 'vdev=sda', 'access=r,vdev=sdb', 'vdev=xvde'],
  COLO: ['vdev=hda', 'vdev=hdb', 'vdev=sda', 'vdev=sdb', 'vdev=sdc', 'vdev=sdd'].map(
    (place, n) => `${colo(`disk${n}`)},${place}`,
  ),
}

/** Microseconds a domain. libxl's own builder cannot be called by itself, so there is nothing to pair it with. */
export function benchArguments(): string {
  const rows = [['µs per domain of 6 disks', '-drive', 'libxlExact', '-blockdev']]
  for (const [name, specs] of Object.entries(domains)) {
    const disks = specs.map((spec, n) => resolve(`${spec},target=/srv/xen/images/guest-volume-${n}.img`))
    for (const coloRestore of name === 'COLO' ? [false, true] : [false]) {
      const guest = { domainType: 'hvm', coloRestore } as const
      const builders = [
        () => buildDiskArgs(disks, guest),
        () => buildDiskArgs(disks, { ...guest, libxlExact: true }),
        () => buildBlockdevArgs(disks, guest),
      ]
      const role = name === 'COLO' ? (coloRestore ? ', secondary' : ', primary') : ''
      rows.push([name + role, ...builders.map(build => timed(build).toFixed(1))])
    }
  }
  return table(rows)
}

const resolve = (spec: string): ResolvedDisk =>
  resolveDisk(parseDisk(spec), {
    domid: 4,
    domainType: 'hvm',
    target: 'file',
    domidOf: () => undefined,
    create: true,
  })

function timed(build: () => { args: readonly string[] }): number {
  const times: number[] = []
  for (let round = -5; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (let n = 0; n < domainsARound; n++)
      if (build().args.length === 0) throw new Error('a domain to time has no disks')
    // The first rounds are for the compilers to warm up.
    if (round >= 0) times.push(Number(process.hrtime.bigint() - start) / domainsARound / 1000)
  }
  return median(times)
}
