import fc from 'fast-check'
import t from 'tap'
import { type DeviceDisk, DiskJsonError, fromLibxlJson, LibxlError, toLibxlJson } from 'xenlight'
import { blankDisk } from '#xenlight/libxl/blank-disk.js'
import { askLibxl } from '../real/libxl.js'
import { realPart } from '../support/real-part.js'

const accepted: [what: string, text: string, fields: Partial<DeviceDisk>][] = [
  ["yajl's layout", '{\n    "vdev": "xvda",\n    "readwrite": 1\n}\n', { vdev: 'xvda', readwrite: true }],
  ["json-c's layout", '{\n  "pdev_path":"\\/dev\\/x",\n  "irq":7\n}', { pdevPath: '/dev/x', irq: 7 }],
  ['words in any case', '{"format":"QCOW2","backend":"Phy"}', { format: 'qcow2', backend: 'phy' }],
  ['null for a string', '{"vdev":null,"script":""}', { script: '' }],
  ['default booleans', '{"trusted":"False","colo_enable":"<default>"}', { trusted: false }],
  ['the beginning of a default boolean', '{"trusted":"Truely"}', { trusted: true }],
  ['unknown keys, nested at any depth', `{"x":${'['.repeat(1e5)}${']'.repeat(1e5)},"vdev":"a"}`, { vdev: 'a' }],
  ['keys of nested objects are not ours', '{"x":{"vdev":"b"},"vdev":"a"}', { vdev: 'a' }],
  [
    'values of another type are passed over',
    '{"vdev":1,"irq":"7","format":null,"direct_io_safe":1,"trusted":true}',
    {},
  ],
  ['a double is no integer', '{"irq":1.0}', {}],
  ['an exponent is not read', '{"irq":1e3}', { irq: 1 }],
  ['an integer of more than 64 bits is none', '{"irq":99999999999999999999}', {}],
  ['of two values the first', '{"vdev":"a","vdev":"b"}', { vdev: 'a' }],
  ['of two values the first, even if of another type', '{"vdev":1,"vdev":"b"}', {}],
  ['what follows the value', '{} }nonsense', {}],
  ['blanks of all kinds', '\t\n\v\f\r {\v"vdev"\f:\r"a"\t}', { vdev: 'a' }],
  ['a NUL ends a string', '{"vdev":"a\\u0000b"}', { vdev: 'a' }],
  ['a NUL ends a key', '{"vdev\\u0000x":"a"}', { vdev: 'a' }],
  ['escapes', '{"vdev":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"}', { vdev: '"\\/\b\f\n\r\té\u{1f600}' }],
  ["members of other names, even a domain's where they are no lists", '{"vdev":"a","disks":1,"x":[]}', { vdev: 'a' }],
  ['half a pair', '{"vdev":"\\ud83dx","script":"\\ude00"}', { vdev: '?x', script: '\udced\udcb8\udc80' }],
  ['bytes that are no UTF-8', '{"vdev":"\udcff"}', { vdev: '\udcff' }],
  ['no prototypes', '{"__proto__":{"vdev":"x"},"constructor":1,"vdev":"a"}', { vdev: 'a' }],
  ['the largest address', '{"base":9007199254740991}', { base: 2 ** 53 - 1 }],
  ['a count other than 1', '{"removable":-5,"is_cdrom":0}', { removable: true }],
]

t.test('fromLibxlJson takes', t => {
  for (const [what, text, fields] of accepted) t.strictSame(fromLibxlJson(text), { ...blankDisk(), ...fields }, what)
  t.end()
})

const refused: [text: string, line: number, column: number, reason: RegExp][] = [
  ['', 1, 1, /premature EOF/],
  ['[]', 1, 1, /no JSON object: a disk is written as/],
  ['[{"vdev":"a"}]', 1, 1, /no JSON object/],
  ['\n 1', 2, 2, /no JSON object/],
  ['"vdev"', 1, 1, /no JSON object/],
  ['null', 1, 1, /no JSON object/],
  ['{\n"c_info":{"name":"g"},"disks":[{"vdev":"a"}]}', 2, 10, /whole domain's configuration \("c_info"\): take one of/],
  ['{"domid":3,"config":{"c_info":{}}}', 1, 21, /whole domain's configuration/],
  ['{"disks":[{"vdev":"a"}]}', 1, 10, /whole domain's configuration \("disks"\)/],
  ['{\n "vdev": "x', 2, 12, /premature EOF/],
  ['{"vdev"}', 1, 8, /separated by a colon/],
  ['{"vdev":"a",}', 1, 13, /invalid object key/],
  ['{vdev:"a"}', 1, 2, /invalid object key/],
  ['{"vdev":"a" "b"}', 1, 13, /after key and value/],
  ['[1 2]', 1, 4, /after array element/],
  ['{"x":[1,]}', 1, 9, /unallowed token/],
  ['{"x":[}]}', 1, 7, /unallowed token/],
  ['{"vdev":"a\nb"}', 1, 11, /invalid character inside string/],
  ['{"vdev":"\\x"}', 1, 10, /may not/],
  ['{"vdev":"\\u12g4"}', 1, 10, /non-hex/],
  ['{"irq":-}', 1, 8, /minus sign/],
  ['{"irq":1.}', 1, 9, /malformed number/],
  ['{"irq":01}', 1, 9, /after key and value/],
  ['{"x":tru}', 1, 6, /invalid string/],
  ['{"x":NaN}', 1, 6, /invalid char/],
  ['// x\n{}', 1, 1, /invalid char/],
  ['{"format":"zip"}', 1, 11, /"format" is "zip", not one of unknown, qcow, /],
  ['{"format":"\u212aqcow"}', 1, 11, /not one of/],
  ['{"trusted":"yes"}', 1, 12, /"trusted" is "yes", not "True"/],
  ['{"irq":-1}', 1, 8, /"irq" is -1, outside 0 to 4294967295/],
  ['{"colo_port":2147483648}', 1, 14, /"colo_port" is 2147483648, outside -2147483648/],
  ['{"base":9007199254740992}', 1, 9, /"base" is 9007199254740992, outside 0 to 9007199254740991/],
  [`{"base":${'9'.repeat(1e6)}}`, 1, 9, /outside 0 to 9007199254740991/],
]

t.test('fromLibxlJson refuses, and says where and why', t => {
  for (const [text, line, column, reason] of refused) {
    try {
      fromLibxlJson(text)
      t.fail(`accepted ${text}`)
    } catch (error) {
      if (!(error instanceof DiskJsonError)) throw error
      t.match(error.problem, reason)
      t.strictSame([error.line, error.column], [line, column], text.slice(0, 40))
      t.ok(error instanceof LibxlError && error.rc === -3 && error.code === 'ERROR_FAIL')
      t.ok(error.message.length < 200)
    }
  }
  t.end()
})

t.test('with libxlExact what is no disk is one without members, as in libxl', t => {
  for (const text of ['[]', '[{"vdev":"a"}]', ' 1', 'null', '{"c_info":{},"disks":[{"vdev":"a"}]}'])
    t.strictSame(fromLibxlJson(text, { libxlExact: true }), blankDisk(), text)
  t.throws(() => fromLibxlJson('[1 2]', { libxlExact: true }), { name: 'DiskJsonError' })
  t.end()
})

const scalar = fc.constantFrom(
  ...[
    '"raw"',
    '"Raw"',
    '"phy"',
    '"True"',
    '"Falsehood"',
    '"<default>"',
    '"a\\u0000b"',
    '"\\ud83d"',
    '"\\ud83d\\u0041"',
  ],
  ...[
    '"\\ude00"',
    '"\\ud83d\\ude00"',
    '"é\\/"',
    '"\\x"',
    '"\\u12"',
    '"\t"',
    'null',
    'true',
    'tru',
    'NaN',
    '[]',
    '[1,]',
  ],
  ...['0', '-0', '1', '-1', '01', '1.', '-', '.5', '1.5', '1e3', '2147483648', '4294967296', '99999999999999999999'],
)
const key = fc.constantFrom(
  ...[
    'vdev',
    'vd\\u0065v',
    'vdev\\u0000',
    'backend',
    'format',
    'readwrite',
    'irq',
    'colo_port',
    'trusted',
    'x',
    '__proto__',
  ],
)
const blank = fc.constantFrom('', '', '', ' ', '\n', '\v', '\f')
const member = fc
  .tuple(blank, key, fc.constantFrom(':', ':', ':', ':', ' : ', '', '='), scalar, blank)
  .map(([before, name, colon, value, after]) => `${before}"${name}"${colon}${value}${after}`)
const good = fc.constantFrom(
  ...[
    '"vdev": "\\ud83d\\ude00\\u0041"',
    '"vdev":"a\\u0000b"',
    '"format":"Qcow2"',
    '"backend":"phy"',
    '"readwrite":-1',
    '"irq":1e3',
  ],
  ...[
    '"colo_port":-2147483648',
    '"trusted":"Falsehood"',
    '"x":[{"vdev":"a"},[]]',
    '"vdev":7',
    '"base":9007199254740991',
  ],
)
const texts = fc
  .tuple(
    blank,
    fc.array(fc.oneof({ weight: 5, arbitrary: good }, { weight: 1, arbitrary: member }), { maxLength: 4 }),
    fc.constantFrom('}', '}', '}', '}', ',}', '', ']', '} x'),
  )
  .map(([before, members, end]) => `${before}{${members.join(',')}${end}`)

t.test('fromLibxlJson equals the real libxl on 20,000 generated texts', async t => {
  const sample = fc.sample(texts, 20_000)
  const answers = await realPart(t, () => askLibxl('json', sample))
  if (!answers) return
  const ours = sample.map(text => {
    try {
      return toLibxlJson(fromLibxlJson(text, { libxlExact: true }))
    } catch (error) {
      return error instanceof LibxlError ? String(error.rc) : String(error)
    }
  })
  const flagged = /"(removable|readwrite|is_cdrom)": -?\d+/g
  const different = sample.filter((_, index) => ours[index] !== answers[index]!.replace(flagged, '"$1": 1'))
  t.same(different, [])
  t.ok(ours.filter(answer => answer === '-3').length > 1000)
  t.ok(ours.filter(answer => answer.includes('"')).length > 1000)
})
