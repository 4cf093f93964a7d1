import t from 'tap'
import { parseConfig, parseConfigDisks } from 'xenlight'

const read = (text: string, strict = false) =>
  parseConfigDisks(parseConfig(text, { filename: 'guest.cfg' }), { strict })
const at = ({ spec, start, end }: { spec: string; start: number; end: number }) => spec.slice(start, end)

t.test('the disks, with their specs', async t => {
  const result = read("name='x'\ndisk=['vdev=xvda,target=/a', '/b,,xvdb']\n")
  t.match(result, { success: true, diagnostics: [], disks: [{ disk: { pdevPath: '/a' } }, { spec: '/b,,xvdb' }] })
  t.strictSame(read("name='x'\n"), { success: true, disks: [], diagnostics: [] })
})

t.test('an error points into the file, through escapes', async t => {
  const text = 'disk = [\n  "/a,,xvda",\n  "target\\"x,raw,xvdb,bad",\n]\n'
  const result = read(text)
  t.equal(result.success, false)
  const [diagnostic] = result.diagnostics
  t.match(diagnostic, { code: 'unknown-value', spec: text })
  t.equal(at(diagnostic!), 'bad')
})

t.test('every bad disk is told, in the words of libxl each', async t => {
  const result = read("disk=['x', 'format=y,vdev=xvda', '/a,,xvdb']")
  t.match(result, {
    success: false,
    errors: [
      { libxlMessage: "guest.cfg: config parsing error in disk specification: no vdev specified in `x'\n" },
      { libxlMessage: /^guest\.cfg: .*unknown value for format: near `y'/ },
    ],
  })
})

const colo = (vdev: string, host: string, port: number) =>
  `'vdev=${vdev},colo,colo-host=${host},colo-port=${port},colo-export=e${vdev},active-disk=/a,hidden-disk=/h,target=/x'`

const cases: [string, string, string[]][] = [
  ["'/a,,xvda','/b,,xvda'", 'duplicate-vdev', ["'/b,,xvda'", "'/a,,xvda'"]],
  ["'/a,,xvda','/b,,51712'", 'duplicate-devid', ["'/b,,51712'", "'/a,,xvda'"]],
  [
    `${colo('hda', 'h', 1)},${colo('hdb', 'i', 1)}`,
    'colo-different-secondary',
    [colo('hdb', 'i', 1), colo('hda', 'h', 1)],
  ],
  [
    `${colo('hda', 'h', 1)},${colo('hdb', 'h', 2)}`,
    'colo-different-secondary',
    [colo('hdb', 'h', 2), colo('hda', 'h', 1)],
  ],
]
for (const [disks, code, places] of cases) {
  t.test(code, async t => {
    const result = read(`disk=[${disks}]`)
    t.match(result, { success: true, diagnostics: [{ code, severity: 'warning' }] })
    const [diagnostic] = result.diagnostics
    t.strictSame([at(diagnostic!), at(diagnostic!.notes[0]!)], places)
    t.match(read(`disk=[${disks}]`, true), { success: false, diagnostics: [{ code, severity: 'error' }] })
  })
}

t.test('COLO disks to one host and port are fine', async t => {
  t.strictSame(read(`disk=[${colo('hda', 'h', 1)},${colo('hdb', 'h', 1)}]`).diagnostics, [])
})

t.test('an error says its place in the file, under strict too', async t => {
  const bad = read("disk=['/a,,xvda',\n  'format=y,vdev=xvdb']\n")
  t.match(bad, { success: false, errors: [{ message: /^unknown value for format at guest\.cfg:2:11: / }] })
  if (!bad.success) t.strictSame(bad.errors[0]?.diagnostics, bad.diagnostics)
  const strict = read("disk=['/a,,xvda',\n  '/b,,xvda']\n", true)
  t.match(strict, { success: false, errors: [{ libxlMessage: '', message: /^two disks .* at guest\.cfg:2:3: / }] })
})
