import t from 'tap'
import { safeParseDisk } from 'xenlight'

const colo = 'colo,colo-host=h,colo-port=1,colo-export=e,active-disk=/a,hidden-disk=/h'

/** spec, and for each warning its code and the text it points at */
const cases: [string | string[], ...[string, string][]][] = [
  ['vdev=hda,target=/x'],
  [`vdev=hda,${colo},target=/x`],
  ['cdrom,access=ro,vdev=hdc,target=/x.iso'],
  ['script=block-iscsi,vdev=xvda,target=iqn.2001-05.com.example:0-8a'],
  ['raw:/x,hda,w', ['deprecated-prefix', 'raw:']],
  ['tap:qcow2:/x,hda,w', ['deprecated-prefix', 'tap:qcow2:']],
  [
    ['vdev=hda', 'drbd:res'],
    ['deprecated-prefix', 'drbd:'],
  ],
  ['/x,,hda,w,=', ['stray-equals', '=']],
  ['vdev=hda,foo=', ['stray-equals', 'foo=']],
  ['vdev=hdz,target=/x', ['unknown-vdev', 'hdz']],
  ['vdev=sdaa,target=/x', ['unknown-vdev', 'sdaa']],
  ['vdev=,target=/x'],
  ['vdev=xvdzz9,target=/x'],
  ['vdev=hda,target=/a,b', ['path-comma', '/a,b']],
  ['vdev=hda,target=/a\tb', ['path-control', '/a\tb']],
  [`vdev=hda,${colo.replace('/a', '/\x07')},target=/x`, ['path-control', '/\x07']],
  ['vdev=hda,target=/x.QCOW2', ['format-mismatch', '/x.QCOW2']],
  ['format=raw,vdev=hda,target=/x.vhd', ['format-mismatch', '/x.vhd']],
  ['format=raw,vdev=hda,target=/x.vmdk', ['format-mismatch', '/x.vmdk']],
  ['format=qcow2,vdev=hda,target=/x.qcow2'],
  ['cdrom,access=w,vdev=hdc,target=/x', ['cdrom-access', 'w']],
  ['/x,raw,hdc:cdrom,rw', ['cdrom-access', 'rw']],
  [
    'vdev=hda,colo-host=h,colo-port=2,target=/x',
    ['colo-key-without-colo', 'colo-host=h'],
    ['colo-key-without-colo', 'colo-port=2'],
  ],
  ['vdev=hda,no-colo,active-disk=/a,target=/x', ['colo-key-without-colo', 'active-disk=/a']],
  [`vdev=hda,${colo.replace('colo-port=1', 'colo-port=65536')},target=/x`, ['colo-port-range', '65536']],
  [
    `vdev=hda,${colo.replace('colo-port=1', 'colo-port=-1')},target=/x`,
    ['colo-port-junk', '-1'],
    ['colo-port-range', '-1'],
  ],
  [`vdev=hda,${colo.replace('colo-port=1', 'colo-port=12abc')},target=/x`, ['colo-port-junk', '12abc']],
  [`vdev=hda,${colo.replace('export=e', 'export=0e')},target=/x`, ['colo-export-id', '0e']],
  [`vdev=hda,${colo.replace('export=e', 'export=a/b')},target=/x`, ['colo-export-id', 'a/b']],
  [`vdev=hda,${colo.replace('colo-port=1', 'colo-port=4294967297')},target=/x`, ['colo-port-range', '4294967297']],
  [`vdev=hda,colo-port=1x,${colo},target=/x`],
  [`vdev=hda,script=s,${colo},target=/x`, ['colo-backend', 'script=s']],
  [`vdev=hda,specification=virtio,${colo},target=/x`, ['colo-backend', 'specification=virtio']],
  [['w', 'vdev=hdc', 'cdrom']],
  [`vdev=hda,backendtype=phy,${colo},target=/x`, ['colo-backend', 'phy']],
  [`vdev=hda,access=ro,${colo},target=/x`, ['colo-read-only', 'ro']],
  [`vdev=hda,cdrom,${colo},target=/x`, ['colo-cdrom', 'cdrom']],
  [`vdev=hda,${colo},target=/h`, ['colo-same-disk', '/h']],
  [`vdev=hda,${colo.replace('/h', '/a')},target=/a`, ['colo-same-disk', '/a'], ['colo-same-disk', '/a']],
]
for (const [spec, ...expected] of cases) {
  t.test(`${JSON.stringify(spec)}`, async t => {
    const { success, diagnostics } = safeParseDisk(spec)
    t.ok(success)
    t.strictSame(
      diagnostics.map(({ code, spec, start, end }) => [code, spec.slice(start, end)]).sort(),
      expected.sort(),
    )
    t.ok(diagnostics.every(({ severity, hint }) => severity === 'warning' && hint))
  })
}

for (const key of ['colo-host', 'colo-port', 'colo-export', 'active-disk', 'hidden-disk']) {
  t.test(`colo without ${key}`, async t => {
    const spec = `vdev=hda,${colo.replace(new RegExp(`,${key}=[^,]*`), '')},target=/x`
    t.match(safeParseDisk(spec).diagnostics, [
      { code: 'colo-missing-key', message: `colo needs ${key}`, start: 9, end: 13 },
    ])
  })
}

t.test('a deprecated prefix comes with the modern spelling of this very spec', async t => {
  t.match(safeParseDisk('tap:qcow2:/x,hdc:cdrom').diagnostics, [
    { hint: 'write format=qcow2,vdev=hdc,devtype=cdrom,target=/x' },
  ])
})

t.test('a parameter behind target= is told what became of it', async t => {
  t.match(safeParseDisk('vdev=hda,target=/x,format=qcow2').diagnostics, [
    { code: 'path-comma', hint: /put format before it/ },
  ])
  t.match(safeParseDisk('vdev=hda,target=/x,cdrom').diagnostics, [{ code: 'path-comma', hint: /put cdrom before it/ }])
})
