import fc from 'fast-check'
import t from 'tap'
import { parseDisk, resolveDisk, safeParseDisk } from 'xenlight'
import { buildBlockdevArgs, buildDiskArgs } from 'xenlight/dm-args'

const guest = { domid: 5, domainType: 'hvm', target: 'missing', domidOf: () => undefined, create: true } as const
const options = { domainType: 'hvm' } as const
const resolved = (target: string, change = {}) =>
  resolveDisk({ ...parseDisk(`vdev=hda,backendtype=qdisk,target=${target}`), pdevPath: target, ...change }, guest)

/** The node that opens the disk, of both forms. */
const opened = (target: string) => {
  const disks = [resolved(target)]
  const { args } = buildBlockdevArgs(disks, options)
  return { drive: buildDiskArgs(disks, options).args[1]!, node: JSON.parse(args[1]!).file }
}

const longest = `/${'p'.repeat(106)}`
t.test('what is an NBD export', t => {
  for (const [target, exported, path] of [
    ['nbd+unix:///x?socket=/s', 'x', '/s'],
    ['nbd+unix:///?socket=/s', undefined, '/s'],
    ['nbd+unix://?socket=/s', undefined, '/s'],
    ['nbd+unix:///a%20b%2Cc?socket=%2Fs%26tls-creds%3Dx', 'a b,c', '/s&tls-creds=x'],
    ['nbd+unix:///a,file=/victim?socket=/s,if=none', 'a,file=/victim', '/s,if=none'],
    ['nbd+unix:///%2Ca/b&c;d?socket=/s=t?u', ',a/b&c;d', '/s=t?u'],
    ['nbd+unix:///%252C?socket=/%2500', '%2C', '/%00'],
    ['nbd+unix:///json:{?socket=/s'.replace('{', '%7B'), 'json:{', '/s'],
    [`nbd+unix:///?socket=${longest}`, undefined, longest],
    ['nbd+unix:///%C3%A9?socket=/%F0%9F%98%80', 'é', '/😀'],
  ] as const) {
    const { drive, node } = opened(target)
    const server = { type: 'unix', path }
    t.match(node, { driver: 'nbd', server }, target)
    t.equal(node.export, exported, target)
    t.match(drive, /^file=nbd\+unix:\/\/\//, target)
    t.strictSame(
      safeParseDisk(`vdev=hda,target=${target}`).diagnostics.filter(({ code }) => code === 'network-target'),
      [],
    )
  }
  t.end()
})

t.test('what only looks like one is a file, and lint says so', t => {
  for (const target of [
    'nbd+unix:///x?socket=/s&tls-creds=y',
    'nbd+unix:///x?socket=/s;tls-creds=y',
    'nbd+unix:///x?tls-creds=y&socket=/s',
    'nbd+unix:///x?socket=/s#f',
    'nbd+unix:///x?socket=s',
    'nbd+unix:///x?socket=',
    'nbd+unix:///x',
    'nbd+unix://host/x?socket=/s',
    'nbd+unix://host:1/x?socket=/s',
    'nbd+unix:////x?socket=/s',
    'nbd+unix:///%2Fx?socket=/s',
    'nbd+unix:///x%00?socket=/s',
    'nbd+unix:///x?socket=/s%00',
    'nbd+unix:///x?socket=/%FF',
    'nbd+unix:///x%2?socket=/s',
    'nbd+unix:///x y?socket=/s',
    'nbd+unix:///"x"?socket=/s',
    'nbd+unix:///x?socket=/s?socket=/t&',
    'nbd+unix:unix?socket=/s',
    `nbd+unix:///?socket=${longest}p`,
    `nbd+unix:///${'n'.repeat(4097)}?socket=/s`,
    ...['nbd:unix:/s', 'nbd:host:10809', 'nbd://host', 'nbd+tcp://host', 'nbds+unix:///?socket=/s', 'http://h/x'],
    ...['ssh://h/x', 'iscsi://h/x/0', 'rbd:pool/image', 'gluster+tcp://h/v/x', 'NBD+UNIX:///?socket=/s'],
  ]) {
    const { drive, node } = opened(target)
    t.match(node, { driver: 'file', filename: target }, target)
    t.ok(drive.startsWith('file=./'), target)
    const { diagnostics } = safeParseDisk(`vdev=hda,target=${target}`)
    t.match(
      diagnostics.filter(({ code }) => code === 'network-target'),
      [{ field: 'pdevPath' }],
      target,
    )
  }
  for (const spec of ['nbd:x,xvda,w', 'script=block-x,vdev=xvda,target=nbd://h', 'vdev=hda,target=/a/http://x'])
    t.strictSame(
      safeParseDisk(spec).diagnostics.filter(({ code }) => code === 'network-target'),
      [],
      spec,
    )
  t.end()
})

t.test('any name and path: one export of one socket, read back as they were', t => {
  const name = fc
    .oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme-ascii' }))
    .filter(text => text.isWellFormed() && !/^\/|\0|\p{Noncharacter_Code_Point}/u.test(text))
  fc.assert(
    fc.property(name, name, (exported, path) => {
      fc.pre(Buffer.byteLength(path) < 107)
      const target = `nbd+unix:///${encodeURIComponent(exported)}?socket=/${encodeURIComponent(path)}`
      const { drive, node } = opened(target)
      t.ok(
        (node.export ?? '') === exported && node.server.path === `/${path}`.replace(/^\/dev\/fdset\//, '/dev/./fdset/'),
      )
      const value = /^file=((?:[^,]|,,)*),if=ide,index=0,media=disk,format=raw,cache=writeback$/.exec(drive)?.[1] ?? ''
      const parts = /^nbd\+unix:\/\/\/([^?#&;]*)\?(socket=[^#&;]*)$/.exec(value.replaceAll(',,', ','))
      t.strictSame(parts?.slice(1).map(decodeURIComponent), [exported, `socket=/${path}`])
    }),
  )
  t.end()
})

t.test('resolveDisk: qdisk, and no look at the target; refused for what nothing serves', t => {
  const spec = 'vdev=hda,target=nbd+unix:///x?socket=/s'
  t.match(resolveDisk(parseDisk(spec), guest), { backend: 'qdisk', format: 'raw' })
  const exact = { ...guest, libxlExact: true }
  t.throws(
    () => resolveDisk(parseDisk(spec), exact),
    { name: 'LibxlError', reason: 'target-missing', rc: -6 },
    "libxl's way",
  )
  for (const [change, context, field] of [
    [{ backend: 'phy' }, {}, 'backend'],
    [{ backend: 'tap' }, {}, 'backend'],
    [{ format: 'qcow2' }, {}, 'format'],
    [{ specification: 'virtio' }, {}, 'specification'],
    [{ coloEnable: true }, {}, 'coloEnable'],
    [{ backendDomid: 7 }, {}, 'backendDomid'],
    [{}, { domainType: 'pv' }, 'pdevPath'],
    [{}, { domainType: 'pvh' }, 'pdevPath'],
  ] as const) {
    const refused = () => resolveDisk({ ...parseDisk(spec), ...change }, { ...guest, ...context })
    t.throws(refused, { name: 'LibxlError', reason: 'backend-unsuitable', field, message: /served over NBD/ })
  }
  const scripted = resolveDisk({ ...parseDisk(spec), script: 'block-x' }, guest)
  t.equal(scripted.backend, 'phy', "a script's target is the script's")
  t.end()
})
