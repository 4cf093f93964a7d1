import fc from 'fast-check'
import t from 'tap'
import { type DeviceDisk, type DiagnosticCode, DiskSpecError, parseDisk, safeParseDisk, XenlightError } from 'xenlight'

const refused = (spec: string | string[]) => {
  const result = safeParseDisk(spec)
  if (result.success) throw new Error(`accepted: ${JSON.stringify(spec)}`)
  return result
}

t.test('no input crashes, and the two entries agree', async t => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 3 }), words => {
      const result = safeParseDisk(words)
      if (result.success) t.strictSame(parseDisk(words), result.disk)
      else t.throws(() => parseDisk(words), { name: 'DiskSpecError', libxlMessage: result.error.libxlMessage })
    }),
    { numRuns: 2000 },
  )
})

t.test('a COLO disk', async t => {
  const disk = parseDisk(
    'format=qcow2,vdev=hda,access=rw,backendtype=qdisk,colo,colo-host=192.168.100.2,colo-port=8889,colo-export=colo-disk0,active-disk=/a.qcow2,hidden-disk=/h.qcow2,target=/g.qcow2',
  )
  t.match(disk, {
    pdevPath: '/g.qcow2',
    vdev: 'hda',
    backend: 'qdisk',
    format: 'qcow2',
    readwrite: true,
    coloEnable: true,
    coloHost: '192.168.100.2',
    coloPort: 8889,
    coloExport: 'colo-disk0',
    activeDisk: '/a.qcow2',
    hiddenDisk: '/h.qcow2',
  })
})

t.test('every place is exact', async t => {
  const cases: [string, string, string, (string | RegExp)?][] = [
    ['format=QCOW2,vdev=hda,target=/x', 'unknown-value', 'QCOW2', /write qcow2/],
    ['vdev=hda,devtype=floppy,target=/x', 'unknown-value', 'floppy', /disk or cdrom/],
    ['/x,raw,hda:floppy', 'unknown-value', 'floppy'],
    ['/x,raw,hda,x', 'unknown-value', 'x', /r, ro, w or rw/],
    ['vdev=hda,colo-port=none,target=/x', 'unknown-value', 'none', /1 to 65535/],
    ['foo=bar,vdev=hda', 'unknown-parameter', 'foo=bar'],
    ['vdev=hda,colohost=1.2.3.4,target=/x', 'unknown-parameter', 'colohost=1.2.3.4', /colo-host/],
    ['cdrom=1,vdev=hda', 'unknown-parameter', 'cdrom=1', /alone/],
    ['FOO=1,vdev=hda', 'bad-syntax', 'FOO=1'],
    ['VDEV=hda', 'bad-syntax', 'VDEV=hda', /vdev/],
    ['discard vdev=hda,target=/x', 'bad-syntax', 'discard vdev=hda', 'write discard,vdev=...'],
    ['vdev =hda', 'bad-syntax', 'vdev =hda', 'write vdev=...'],
    ['grant_usage=2,vdev=hda', 'bad-syntax', 'grant_usage=2', /0 or 1/],
    ['=x', 'bad-syntax', '=x'],
    ['vdev=hda,target=/x\n=\n', 'bad-syntax', '='],
    ['é=1', 'bad-syntax', 'é=1'],
    ['vdev=é,vdev=ü,target=/x', 'respecified', 'ü'],
    ['trusted=0,vdev=hda,target=/x', 'unknown-parameter', 'trusted=0', 'write untrusted'],
    ['discard=off,vdev=hda,target=/x', 'unknown-parameter', 'discard=off', 'write no-discard'],
    ['no-colo=1,vdev=hda,target=/x', 'unknown-parameter', 'no-colo=1', 'write no-colo alone'],
    ['cdrom=no,vdev=hda,target=/x', 'unknown-parameter', 'cdrom=no', 'leave cdrom out'],
    ['cdrom=maybe,vdev=hda,target=/x', 'unknown-parameter', 'cdrom=maybe', /alone, or leave it out/],
    ['access=rw\r,vdev=hda,target=/x', 'unknown-value', 'rw\r', /carriage return/],
    ['readonly,vdev=hda,target=/x', 'respecified', '/x', /readonly is no parameter/],
    ['direct_io_safe,vdev=hda,target=/x', 'respecified', '/x', /did you mean direct-io-safe/],
    ['target=/x,vdev=hda', 'no-vdev', '', /put vdev= before it/],
    ['foo:/x,hda', 'unknown-prefix', 'foo:', /target=PATH/],
    ['tpa:/x,hda', 'unknown-prefix', 'tpa:', /did you mean tap:/],
    ['/x,raw,hda,w,more', 'too-many-positional', 'more'],
    ['/x', 'no-vdev', '', /vdev=xvda/],
    ['vdev=hda', 'no-target', '', /target=PATH/],
    ['/x\0y,,hda', 'nul-byte', '\0'],
  ]
  for (const [spec, code, place, hint] of cases) {
    const [diagnostic] = refused(spec).diagnostics
    t.match(diagnostic, { severity: 'error', code, spec, ...(hint ? { hint } : {}) }, spec)
    t.equal(spec.slice(diagnostic!.start, diagnostic!.end), place, spec)
  }
})

t.test('a second value points at the first', async t => {
  const { diagnostics } = refused(['vdev=hda,target=/x', 'vdev=hdb'])
  t.match(diagnostics, [
    {
      code: 'respecified',
      spec: 'vdev=hdb',
      start: 5,
      end: 8,
      notes: [{ spec: 'vdev=hda,target=/x', start: 5, end: 8 }],
    },
  ])
})

t.test('every line that libxlutil writes, and one diagnostic for each', async t => {
  const { error, diagnostics } = refused('format=x,access=y,vdev=hda,target=/x')
  t.equal(
    error.libxlMessage,
    "command line: config parsing error in disk specification: unknown value for format: near `x' in `format=x,access=y,vdev=hda,target=/x'\n" +
      "command line: config parsing error in disk specification: unknown value for access: near `y' in `format=x,access=y,vdev=hda,target=/x'\n",
  )
  t.equal(diagnostics.length, 2)
})

t.test('a source of its own in the messages', async t => {
  const result = safeParseDisk('x', { source: '/etc/xen/gäst.cfg' })
  t.match(result, { success: false, error: { libxlMessage: /^\/etc\/xen\/gäst\.cfg: config parsing error/ } })
})

t.test('a character that libxlutil cuts in two', async t => {
  t.match(refused('foo=é,vdev=hda').error.libxlMessage, /near `foo=\udcc3' in `foo=é,/)
})

t.test('where libxl crashes there is an answer', async t => {
  const path = `/${'x'.repeat(20_000)}`
  t.equal(parseDisk(`vdev=hda,target=${path}`).pdevPath, path)
  t.match(refused('/x,,hda,w,=\n').error.libxlMessage, /bad disk syntax: near `='/)
})

t.test('no spec at all', async t => {
  t.match(refused([]).error.libxlMessage, /no vdev specified in `\(null\)'\n$/)
})

t.test('strict refuses what is only warned of', async t => {
  const spec = 'raw:/x,hda,w'
  t.match(safeParseDisk(spec), { success: true, diagnostics: [{ severity: 'warning', code: 'deprecated-prefix' }] })
  const result = safeParseDisk(spec, { strict: true })
  t.match(result, { success: false, error: { libxlMessage: '' }, diagnostics: [{ severity: 'error' }] })
  t.throws(() => parseDisk(spec, { strict: true }), DiskSpecError)
  t.equal(parseDisk('vdev=hda,target=/x', { strict: true }).vdev, 'hda')
})

t.test('what is no spec is a TypeError', async t => {
  for (const spec of [undefined, null, 1, {}, ['x', 1], Buffer.from('x')]) {
    t.throws(() => parseDisk(spec as never), TypeError)
    t.throws(() => safeParseDisk(spec as never), TypeError)
  }
})

t.test('the error says it in one line', async t => {
  t.throws(() => parseDisk('format=QCOW2,vdev=hda'), {
    message: /^unknown value for format at character 8 of "format=QCOW2,vdev=hda": write qcow2/,
  })
})

t.test('of a spec that is long and wrong throughout, the first errors', async t => {
  const { error, diagnostics } = refused('vdev=a,'.repeat(150_000))
  t.ok(error.libxlMessage.length < 80_000_000)
  t.match(diagnostics.at(-1), { code: 'too-many-errors', message: /^149984 more errors/ })
  t.ok(error.message.length < 1000)
})

t.test('a diagnostic names the field that it is about', async t => {
  const cases: [spec: string, code: DiagnosticCode, field: keyof DeviceDisk | undefined][] = [
    ['vdev=xvda,format=QCOW2,target=/x', 'unknown-value', 'format'],
    ['vdev=xvda,backendtype=file,target=/x', 'unknown-value', 'backend'],
    ['vdev=xvda,access=x,target=/x', 'unknown-value', 'readwrite'],
    ['vdev=xvda,vdev=xvdb,target=/x', 'respecified', 'vdev'],
    ['vdev=xvda', 'no-target', 'pdevPath'],
    ['target=/x', 'no-vdev', 'vdev'],
    ['grant_usage=2,vdev=xvda,target=/x', 'bad-syntax', 'grantUsage'],
    ['discard=1,vdev=xvda,target=/x', 'unknown-parameter', 'discardEnable'],
    ['nosuch=1,vdev=xvda,target=/x', 'unknown-parameter', undefined],
    ['a,raw,xvda,w,x', 'too-many-positional', undefined],
    ['vdev=zz,target=/x', 'unknown-vdev', 'vdev'],
    ['vdev=xvda,target=/a,b', 'path-comma', 'pdevPath'],
    ['vdev=xvda,target=/a.qcow2', 'format-mismatch', 'format'],
    ['cdrom,access=w,vdev=hdc,target=/x', 'cdrom-access', 'readwrite'],
    ['vdev=xvda,colo,target=/x', 'colo-missing-key', 'coloHost'],
    ['vdev=xvda,colo-export=e,target=/x', 'colo-key-without-colo', 'coloExport'],
    ['vdev=xvda,colo-port=1x,target=/x', 'colo-port-junk', 'coloPort'],
    ['raw:/x,xvda,w', 'deprecated-prefix', undefined],
  ]
  for (const [spec, code, field] of cases) {
    const diagnostic = safeParseDisk(spec).diagnostics.find(found => found.code === code)
    t.ok(diagnostic, `${spec}: ${code}`)
    t.equal(diagnostic?.field, field, spec)
  }
})

t.test('the code of the error is that of the first diagnostic', async t => {
  try {
    parseDisk('format=QCOW2,vdev=hda,target=/x')
    t.fail('accepted')
  } catch (error) {
    t.ok(error instanceof DiskSpecError && error instanceof XenlightError)
    t.match(error, { code: 'unknown-value', diagnostics: [{ code: 'unknown-value' }] })
  }
  t.throws(() => parseDisk('vdev=hda,target=/a,b', { strict: true }), { code: 'path-comma', libxlMessage: '' })
})
