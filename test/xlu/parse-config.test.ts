import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import {
  ConfigSyntaxError,
  diskToNodes,
  formatDisk,
  parseConfig,
  parseConfigDisks,
  parseDisk,
  resolveDisk,
  safeParseConfig,
} from 'xenlight'
import { encodeText } from '#xenlight/byte-text.js'
import { holds } from '../support/holds.js'

/** As an editor on a machine of Latin-1 saves it. */
const latin1 = Buffer.from(
  'name = "caf\xe9"\ndisk = [ "vdev=xvda,target=/d\xe9j.img", "vdev=xvda,target=/\xe9,x" ]\n',
  'latin1',
)

t.test('bytes that are not UTF-8 stay the bytes that they are', async t => {
  const config = parseConfig(latin1, { filename: 'guest.cfg' })
  t.equal(config.getString('name'), 'caf\udce9')
  const disks = config.getDiskSpecs().map(({ spec }) => parseDisk(spec))
  t.equal(disks[0]!.pdevPath, '/d\udce9j.img')
  t.strictSame(encodeText(disks[0]!.pdevPath!), Buffer.from('/d\xe9j.img', 'latin1'))
  t.strictSame(parseDisk(formatDisk(disks[0]!)), disks[0])
  const guest = { domid: 4, domainType: 'pv' } as const
  const resolved = resolveDisk(disks[0]!, { ...guest, target: 'file', domidOf: () => undefined })
  const nodes = diskToNodes({ ...resolved, backend: 'phy' }, guest)
  t.equal(nodes.find(({ path }) => path.endsWith('/params'))?.value, '/d\udce9j.img')
})

t.test('places are those of the characters, one for each such byte', async t => {
  const config = parseConfig(latin1)
  const [first, second] = config.getDiskSpecs()
  t.match(first!.place, { line: 2, column: 10 })
  t.match(second!.place, { line: 2, column: 39 })
  const { diagnostics } = parseConfigDisks(config)
  const comma = diagnostics.find(({ code }) => code === 'path-comma')!
  t.equal(config.text.slice(comma.start, comma.end), '/\udce9,x')
  const { line, column } = config.positionAt(comma.start)
  t.strictSame([line, column], [2, 57])
  t.equal(latin1.subarray(comma.start, comma.end).toString('latin1'), '/\xe9,x', 'a byte each, here')
  const refused = safeParseConfig(Buffer.from('a = "\xe9" "\n', 'latin1'))
  t.match(refused, { success: false, diagnostics: [{ start: 8 }] })
  t.ok(!refused.success && encodeText(refused.error.libxlMessage).includes(0x22))
})

t.test('bytes and text are read alike', t => {
  const piece = fc.oneof(
    fc.constantFrom('a = ', '"', "'", '\n', '[', ']', ',', 'x', '\\n', '#', '1'),
    fc.string({ unit: 'grapheme', maxLength: 2 }),
    fc.integer({ min: 0xdc80, max: 0xdcff }).map(code => String.fromCharCode(code)),
  )
  holds(
    t,
    fc.property(fc.array(piece, { maxLength: 20 }), pieces => {
      const bytes = encodeText(pieces.join(''))
      const result = safeParseConfig(bytes)
      const text = result.success ? result.config.text : (result.diagnostics[0]?.spec ?? '')
      const again = safeParseConfig(text)
      if (Buffer.compare(encodeText(text), bytes) !== 0 || again.success !== result.success) throw new Error(text)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a view of a larger buffer, and plain Uint8Arrays', async t => {
  const whole = new Uint8Array(Buffer.from('xxa = "\xff"\nyy', 'latin1'))
  t.equal(parseConfig(whole.subarray(2, 10)).getString('a'), '\udcff')
})

t.test('the code of the error is that of the first', async t => {
  try {
    parseConfig('a = "\\x41"\n')
    t.fail('accepted')
  } catch (error) {
    t.ok(error instanceof ConfigSyntaxError && error.code === error.diagnostics[0]!.code)
    t.match(error, { code: 'config-escape' })
  }
  t.throws(() => parseConfig('disk = "x"\n', { strict: true }), { code: 'config-disk-no-list', libxlMessage: '' })
})

t.test('a value of another type', async t => {
  const config = parseConfig('a = [ 1 ]\nb = "x"\nb += "y"\nc = "99999999999999999999"\n', { filename: 'g.cfg' })
  t.throws(() => config.getString('a'), {
    ...{ name: 'ConfigValueError', code: 'config-list', key: 'a' },
    problem: "parameter `a' is a list but should be a single value",
    libxlMessage: "g.cfg:1: warning: parameter `a' is a list but should be a single value\n",
  })
  t.throws(() => config.getList('c'), { code: 'config-no-list' })
  t.throws(() => config.getLong('b'), { code: 'config-added' })
  t.throws(() => config.getLong('c'), { code: 'config-range' })
  t.throws(() => parseConfig('d = "1x"\n').getLong('d'), { code: 'config-no-number' })
})
