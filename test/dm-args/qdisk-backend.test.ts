import t from 'tap'
import { parseDisk, type ResolvedDisk, resolveDisk } from 'xenlight'
import { buildQdiskBackendArgs } from 'xenlight/dm-args'

const resolve = (spec: string, target: 'block' | 'file' = 'file'): ResolvedDisk =>
  resolveDisk(parseDisk(spec), {
    domid: 5,
    domainType: 'pv',
    target,
    domidOf: name => (name === 'storage' ? 7 : undefined),
  })

const phy = resolve('vdev=xvda,target=/dev/vg/a', 'block')
const qdisk = resolve('format=qcow2,vdev=xvdb,target=/b.qcow2')
const remote = resolve('format=qcow2,vdev=xvdc,backend=storage,backendtype=qdisk,target=/c.qcow2')

// The words of libxl__spawn_qemu_xenpv_backend of Xen's master, read there: they depend on the domain's number alone.
const libxlArgs = (domid: number) =>
  `-xen-domid ${domid} -xen-attach -name domain-${domid} -nographic -M xenpv` +
  ' -monitor /dev/null -serial /dev/null -parallel /dev/null'

t.test('a PV or PVH guest with a qdisk in this domain needs one QEMU, whatever its disks are', t => {
  for (const domainType of ['pv', 'pvh'] as const) {
    t.strictSame(buildQdiskBackendArgs([phy, qdisk], { domid: 5, domainType }).join(' '), libxlArgs(5))
    t.strictSame(buildQdiskBackendArgs([phy, remote], { domid: 5, domainType }), [])
    t.strictSame(buildQdiskBackendArgs([remote], { domid: 5, domainType, backendDomid: 7 }).join(' '), libxlArgs(5))
    t.strictSame(buildQdiskBackendArgs([], { domid: 5, domainType }), [])
  }
  t.strictSame(buildQdiskBackendArgs([qdisk], { domid: 5, domainType: 'hvm' }), [])
  const inDriverDomain = { domid: 5, domainType: 'hvm', backendDomid: 7 } as const
  t.strictSame(buildQdiskBackendArgs([remote], inDriverDomain).join(' '), libxlArgs(5), "not the guest's own QEMU")
  t.end()
})

t.test('a wrong number or type is named', t => {
  t.throws(() => buildQdiskBackendArgs([], { domid: -1, domainType: 'pv' }), { name: 'RangeError', message: /^domid / })
  t.throws(() => buildQdiskBackendArgs([], { domid: 1, domainType: 'pv', backendDomid: 1e6 }), /^backendDomid /)
  // @ts-expect-error as from JavaScript
  t.throws(() => buildQdiskBackendArgs([], { domid: 1, domainType: 'HVM' }), TypeError)
  t.end()
})
