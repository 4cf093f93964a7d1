import t from 'tap'
import { type DeviceDisk, LibxlError, parseDisk, type ResolveContext, resolveDisk, toLibxlJson } from 'xenlight'
import { attachments, contextOf } from '../support/attachments.js'

t.test('resolveDisk answers as libxl does, for every attachment of the golden file', t => {
  for (const row of attachments) {
    const name = `${row.type} ${row.spec}`
    const disk = parseDisk(row.spec)
    const before = structuredClone(disk)
    if (row.rc === 0) {
      t.strictSame(JSON.parse(toLibxlJson(resolveDisk(disk, contextOf(row)))), row.after, name)
    } else {
      const reason = row.log[0]?.replace(/^error: \w+: (?:Domain \d+:)?/, '') ?? /^backend domain ".*" not found$/
      t.throws(() => resolveDisk(disk, contextOf(row)), { rc: row.rc, message: reason }, name)
    }
    t.strictSame(disk, before, 'the record given is unchanged')
  }
  t.end()
})

const guest: ResolveContext = { domid: 5, domainType: 'hvm', target: 'file', domidOf: () => undefined }
const refusal = (disk: DeviceDisk, context = guest): LibxlError => {
  try {
    resolveDisk(disk, context)
  } catch (error) {
    if (error instanceof LibxlError) return error
    throw error
  }
  throw new Error('not refused')
}

t.test('a virtio disk comes with a new domain only', t => {
  const disk = parseDisk('specification=virtio,vdev=xvda,target=/dev/x')
  t.strictSame(refusal(disk).code, 'ERROR_FAIL')
  const resolved = resolveDisk(disk, { ...guest, create: true })
  t.match(resolved, { backend: 'standalone', transport: 'mmio', grantUsage: false })
  const driverDomain = { ...guest, create: true, domidOf: () => 7 }
  t.match(resolveDisk({ ...disk, backendDomname: 'storage' }, driverDomain), { backendDomid: 7, grantUsage: true })
  t.end()
})

t.test('records that no spec can express are refused as libxl refuses them', t => {
  const disk = parseDisk('vdev=xvda,target=/x')
  t.equal(refusal({ ...disk, transport: 'mmio' }).message, 'Transport is only supported for specification virtio')
  t.equal(refusal({ ...disk, pdevPath: undefined }).message, 'Disk vdev=xvda failed to stat: (null): Bad address')
  t.match(refusal({ ...disk, vdev: undefined }).message, /^Invalid or unsupported virtual disk identifier \(null\)$/)
  t.match(refusal({ ...disk, vdev: 'xvda-1' }).message, /^Invalid or unsupported virtual disk identifier xvda-1$/)
  t.end()
})

t.test('a number is a backend domain without being looked up, as a C unsigned int', t => {
  const backendOf = (name: string): number =>
    resolveDisk({ ...parseDisk('vdev=xvda,target=/x'), backendDomname: name }, guest).backendDomid
  t.strictSame(['', '07', '99', '4294967296', '99999999999999999999'].map(backendOf), [0, 7, 99, 0, 0xffffffff])
  t.end()
})
