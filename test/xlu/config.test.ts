import t from 'tap'
import { ConfigSyntaxError, ConfigValueError, parseConfig, safeParseConfig } from 'xenlight'

t.test('typed access', async t => {
  const config = parseConfig('name = "guest"\nmemory = 0x200\ndisk = [ "a", [ "b", 1 ], 2 ]\nempty = []\n')
  t.equal(config.getString('name'), 'guest')
  t.equal(config.getString('memory'), '0x200')
  t.equal(config.getLong('memory'), 512)
  t.strictSame(config.getList('disk'), ['a', ['b', '1'], '2'])
  t.strictSame(config.getList('empty'), [])
  t.strictSame(config.keys(), ['name', 'memory', 'disk', 'empty'])
})

t.test('what is not set is undefined, whatever it is called', async t => {
  const config = parseConfig('a = 1\n')
  for (const key of ['b', '', '__proto__', 'constructor', 'toString']) {
    t.equal(config.getString(key), undefined)
    t.equal(config.getLong(key), undefined)
    t.equal(config.getList(key), undefined)
    t.equal(config.getPlace(key), undefined)
  }
})

t.test("another type throws libxl's warning", async t => {
  const config = parseConfig('\nlist = [\n]\nword = "x"\nsum += 1\n', { filename: 'guest.cfg' })
  const said = (ask: () => unknown): unknown => {
    try {
      return ask()
    } catch (error) {
      return error instanceof ConfigValueError ? [error.key, error.libxlMessage] : error
    }
  }
  t.strictSame(
    said(() => config.getString('list')),
    ['list', "guest.cfg:2: warning: parameter `list' is a list but should be a single value\n"],
  )
  t.strictSame(
    said(() => config.getList('word')),
    ['word', "guest.cfg:4: warning: parameter `word' is a single value but should be a list\n"],
  )
  t.strictSame(
    said(() => config.getLong('word')),
    ['word', "guest.cfg:4: warning: parameter `word' is not a valid number\n"],
  )
  t.strictSame(
    said(() => config.getLong('sum')),
    ['sum', "guest.cfg:5: warning: can't use += with numbers for parameter `sum'\n"],
  )
})

t.test('numbers as strtol reads them', async t => {
  const cases: [string, number | bigint | RegExp][] = [
    ['0', 0],
    ['017', 15],
    ['0x7F', 127],
    ['0XfF', 255],
    [' \t\v\f\r\\n+5', 5],
    ['-0', 0],
    ['-010', -8],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['0x7fffffffffffffff', 9223372036854775807n],
    [`${'0'.repeat(1000)}1`, 1],
    ['9223372036854775808', /out of range/],
    ['-9223372036854775809', /out of range/],
    ['99999999999999999999x', /out of range/],
    ['9'.repeat(100_000), /out of range/],
    ['', /not a valid number/],
    ['0x', /not a valid number/],
    ['08', /not a valid number/],
    ['0b1', /not a valid number/],
    ['5 ', /not a valid number/],
    ['+ 5', /not a valid number/],
    ['\u00a05', /not a valid number/],
    ['1e3', /not a valid number/],
  ]
  for (const [text, want] of cases) {
    const config = parseConfig(`a = "${text}"\n`)
    if (want instanceof RegExp) t.throws(() => config.getLong('a'), { message: want }, text.slice(0, 40))
    else t.equal(config.getLong('a'), want, text.slice(0, 40))
  }
})

t.test('the last setting counts, and += joins it with what is there', async t => {
  const config = parseConfig('a="x"; a="y"; a+="z"; a+=1; l+=[1]; l+=[[2],3]; b=[1]; b="s"; b+="t"\n')
  t.equal(config.getString('a'), 'yz1')
  t.strictSame(config.getList('l'), ['1', ['2'], '3'])
  t.equal(config.getString('b'), 'st')
})

t.test('an error carries what libxl writes, and says where and what to do', async t => {
  const text = 'name = guest\n'
  const result = safeParseConfig(text)
  const error = result.success ? undefined : result.error
  if (!(error instanceof ConfigSyntaxError)) throw new Error('accepted')
  t.equal(
    error.libxlMessage,
    "command line:1: config parsing error near `guest': syntax error, unexpected IDENT, expecting STRING or NUMBER or '['\n",
  )
  t.match(error.message, /^command line:1:8: syntax error.*\(write it in quotes: "guest"\)$/)
  t.strictSame(error.diagnostics, result.diagnostics)
  t.throws(() => parseConfig(text, { filename: 'x.cfg' }), { name: 'ConfigSyntaxError', message: /^x\.cfg:1:8: / })
})

t.test("disks are the list's strings up to the first that is none", async t => {
  const specs = (text: string): string[] =>
    parseConfig(text)
      .getDiskSpecs()
      .map(({ spec }) => spec)
  t.strictSame(specs('disk = [ "a,xvda", \'b,xvdb\', 3 ]'), ['a,xvda', 'b,xvdb', '3'])
  t.strictSame(specs('disk = [ "a,xvda", [ "b" ], "c,xvdc" ]'), ['a,xvda'])
  t.strictSame(specs('disk = [ "a" ]\ndisk += [ "b", ]\n'), ['a', 'b'])
  t.strictSame(specs('disk = "a,xvda"'), [])
  t.strictSame(specs(''), [])
  const codes = (text: string): string[] => safeParseConfig(text).diagnostics.map(({ code }) => code)
  t.strictSame(codes('disk = [ "a,xvda", [ "b" ], "c,xvdc" ]'), ['config-disk-nested'])
  t.strictSame(codes('disk = "a,xvda"'), ['config-disk-no-list'])
})
