import t from 'tap'
import { type DeviceDisk, parseDisk } from 'xenlight'
import { configWithDisk } from '#xenlight/libxl/userdata/config-with-disk.js'
import { goldenRows } from '../../support/golden.js'

interface Attach {
  spec: string
  before: string
  after: string
}

const disk = (spec: string): DeviceDisk => parseDisk(spec)
const xvda = disk('format=raw,vdev=xvda,access=rw,target=/a')
const json = (text: string) => JSON.parse(text)

t.test('what xl writes when it attaches a disk (golden/libxl-json.jsonl)', async t => {
  const rows = goldenRows<Attach>('libxl-json.jsonl').filter(({ before, after }) => before !== after)
  t.equal(rows.length, 4, 'the others were refused before the file was written')
  for (const { spec, before, after } of rows) t.equal(configWithDisk(before, disk(spec)), after, spec)
})

t.test('a configuration without disks gets them where libxl has them', async t => {
  const texts = [
    '{}',
    '{"c_info":{"name":"a"},"b_info":{"x":[{}]},"on_reboot":"restart"}',
    '{"c_info":{"name":"a"},"on_reboot":"restart"}',
    '{"on_reboot":"restart"}',
    '{"disks":[ ],"on_reboot":"restart"}',
    '{"disks":[]}',
  ]
  const order = ['c_info', 'b_info', 'disks', 'on_reboot']
  for (const text of texts) {
    const { disks: _, ...others } = json(text)
    const changed = json(configWithDisk(text, xvda))
    const { disks, ...rest } = changed
    t.match(disks, [{ vdev: 'xvda', pdev_path: '/a' }], text)
    t.equal(disks.length, 1)
    t.strictSame(rest, others)
    t.strictSame(
      Object.keys(changed),
      order.filter(name => name in changed),
      'in order',
    )
  }
})

t.test('all else stays to the byte: big numbers, repeated keys, brackets in strings, any layout', async t => {
  const texts = [
    '{"b_info":{"x":18446744073709551615,"x":1e400,"s":"]}\\"\\\\"},"disks":[@],"nics":[0.10]}',
    '\n{ "a" : "{[" ,\n\t"disks" : [ {"vdev":"xvdb","x":[["]"],{}]} , @ ] }\ntrailing',
    '{\n  "disks":[\n    {\n      "vdev":"xvdb"\n    },\n    @\n  ],\n  "b":true\n}',
  ]
  for (const text of texts) {
    const changed = configWithDisk(text.replace('@', '{"vdev":"xvda","target":"old"}'), xvda)
    const [head = '', tail = ''] = text.split('@')
    t.ok(changed.startsWith(head) && changed.endsWith(tail), text)
    t.match(json(changed.slice(head.length, changed.length - tail.length)), { vdev: 'xvda', pdev_path: '/a' })
    t.equal(configWithDisk(changed, xvda), changed, 'a second time changes nothing')
  }
})

t.test('the disk of the same name is replaced, whatever its name is written like; the last of several', async t => {
  const vdevs = (text: string) =>
    json(text).disks.map((one: { vdev?: string; pdev_path?: string }) => [one.vdev, one.pdev_path])
  t.strictSame(vdevs(configWithDisk('{"disks":[{"vdev":"xvd\\u0061"},{"vdev":"hda"}]}', xvda)), [
    ['xvda', '/a'],
    ['hda', undefined],
  ])
  t.strictSame(vdevs(configWithDisk('{"disks":[{"vdev":"xvda"},{"vdev":"xvda"},{},7]}', xvda)), [
    ['xvda', undefined],
    ['xvda', '/a'],
    [undefined, undefined],
    [undefined, undefined],
  ])
  // the same device by another name is another disk to libxl
  t.equal(json(configWithDisk('{"disks":[{"vdev":"hda"},{"vdev":"d0p0"}]}', xvda)).disks.length, 3)
})

t.test('what is no configuration is refused', async t => {
  for (const text of ['', ' ', '[]', '7', '{', '{"disks":{}}', '{"disks":7}', '{"disks":[}', '{"a":1,}']) {
    t.throws(() => configWithDisk(text, xvda), { code: 'ERROR_FAIL' }, text)
  }
})
