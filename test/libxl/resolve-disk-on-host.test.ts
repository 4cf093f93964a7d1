import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type DiskContext, parseDisk, resolveDiskOnHost } from 'xenlight'

const guest: DiskContext = { domid: 11, domainType: 'pv', domidOf: name => (name === 'storage' ? 7 : undefined) }
const backendOf = async (spec: string): Promise<string> => (await resolveDiskOnHost(parseDisk(spec), guest)).backend

t.test('a regular file is served by phy where its format allows', async t => {
  const file = join(t.testdir({ 'a.img': '' }), 'a.img')
  t.equal(await backendOf(`vdev=xvda,target=${file}`), 'phy')
  t.equal(await backendOf(`format=qcow2,vdev=xvda,target=${file}`), 'qdisk')
})

t.test('a directory or a character device is left to qdisk, and refused for phy', async t => {
  t.equal(await backendOf('vdev=xvda,target=/dev'), 'qdisk')
  t.equal(await backendOf('vdev=xvda,target=/dev/null'), 'qdisk')
  await t.rejects(backendOf('backendtype=phy,vdev=xvda,target=/dev/null'), { rc: -6, message: /no suitable backend/ })
})

t.test("a target that cannot be examined is refused with the C library's reason", async t => {
  const folder = t.testdir({ file: '' })
  symlinkSync('loop', join(folder, 'loop'))
  const cases = [
    ['missing', 'No such file or directory'],
    ['file/x', 'Not a directory'],
    ['loop', 'Too many levels of symbolic links'],
    ['x'.repeat(300), 'File name too long'],
  ]
  for (const [name, reason] of cases) {
    const target = join(folder, name!)
    const message = `Disk vdev=xvda failed to stat: ${target}: ${reason}`
    await t.rejects(backendOf(`vdev=xvda,target=${target}`), { rc: -6, code: 'ERROR_INVAL', message })
  }
})

t.test('nothing is looked up where libxl does not look', async t => {
  t.equal(await backendOf('backend=storage,vdev=xvda,target=/missing'), 'phy')
  t.equal(await backendOf('script=block-iscsi,vdev=xvda,target=iqn'), 'phy')
  t.equal(await backendOf('backendtype=qdisk,vdev=xvda,target=/missing'), 'qdisk')
  t.equal(await backendOf('cdrom,vdev=hdc'), 'phy')
})

t.test('a name that is not UTF-8 is looked up as its bytes', async t => {
  const name = Buffer.concat([Buffer.from(t.testdir({})), Buffer.from('/\xff.img', 'latin1')])
  writeFileSync(name, '')
  t.equal(await backendOf(`vdev=xvda,target=${t.testdirName}/\udcff.img`), 'phy')
  mkdirSync(Buffer.concat([name, Buffer.from('.d')]))
  t.equal(await backendOf(`vdev=xvda,target=${t.testdirName}/\udcff.img.d`), 'qdisk')
})
