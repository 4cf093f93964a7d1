import t from 'tap'
import { safeParseConfig } from 'xenlight'

const cases: { text: string; code: string; at: string; hint: RegExp | undefined; severity?: 'warning' }[] = [
  { text: 'name = guest\n', code: 'config-syntax', at: 'guest', hint: /^write it in quotes: "guest"$/ },
  { text: 'name =\n"x"\n', code: 'config-syntax', at: '', hint: /on the line of the =/ },
  { text: 'name = ]\n', code: 'config-syntax', at: ']', hint: /string in quotes, a number or a list/ },
  { text: 'disk = [ "a" "b" ]\n', code: 'config-syntax', at: '"b"', hint: /comma before this/ },
  { text: 'disk = [ "a",, "b" ]\n', code: 'config-syntax', at: ',', hint: /remove this comma/ },
  { text: 'disk = [ a ]\n', code: 'config-syntax', at: 'a', hint: /in quotes: "a"/ },
  { text: 'disk = [ "a"\n', code: 'config-syntax', at: '', hint: /^close the list with \]$/ },
  { text: 'a = 1 b = 2\n', code: 'config-syntax', at: 'b', hint: /new line, or put a ; before it/ },
  { text: 'memory 512\n', code: 'config-syntax', at: '512', hint: /^write memory = and a value$/ },
  { text: 'import os\n', code: 'config-syntax', at: 'os', hint: /no Python/ },
  { text: '"name" = 1\n', code: 'config-syntax', at: '"name"', hint: /without quotes/ },
  { text: ', = 1\n', code: 'config-syntax', at: ',', hint: /a key, = and a value/ },
  { text: 'a = "x\n', code: 'config-lexical', at: '"x', hint: /^close the string with " on the same line$/ },
  { text: 'a = -1\n', code: 'config-lexical', at: '-1', hint: /^write a negative number in quotes: "-1"$/ },
  { text: 'a = True\n', code: 'config-lexical', at: 'True', hint: /^write 1$/ },
  { text: 'a = None\n', code: 'config-lexical', at: 'None', hint: /^write 0$/ },
  { text: 'Memory = 1\n', code: 'config-lexical', at: 'Memory', hint: /lower-case/ },
  { text: 'a = 1\r\n', code: 'config-lexical', at: '\r', hint: /Unix line ends/ },
  { text: '\ufeffa = 1\n', code: 'config-lexical', at: '\ufeffa', hint: /byte order mark/ },
  { text: 'a = “x”\n', code: 'config-lexical', at: '“x”', hint: /plain quotes/ },
  { text: 'a = 1 # end', code: 'config-lexical', at: '#', hint: /end the last line with a newline/ },
  { text: 'print("x")\n', code: 'config-lexical', at: '("x")', hint: /no Python/ },
  { text: 'a = {\n', code: 'config-lexical', at: '{', hint: /in quotes/ },
  { text: 'a = "\\d"\n', code: 'config-escape', at: '\\d', hint: /write \\\\ for a backslash/ },
  { text: 'a = "\\x41"\n', code: 'config-escape', at: '\\x', hint: /every \\x escape/ },
  { text: 'a = "\\7"\n', code: 'config-escape', at: '\\7', hint: /numeric escapes add nothing/ },
  { text: 'a = [1]\na += "x"\n', code: 'config-mixed-addition', at: 'a', hint: /`a' is a list so far/ },
  { text: 'a = "x\0y"\n', code: 'config-nul', at: '\0', hint: undefined },
  { text: 'a = "\\0123"\n', code: 'config-lost-escape', at: '\\0123', hint: /character itself/, severity: 'warning' },
  { text: 'a = 1?', code: 'config-stray-end', at: '?', hint: /remove it/, severity: 'warning' },
  { text: 'disk = "x"\n', code: 'config-disk-no-list', at: 'disk', hint: /disk = \[/, severity: 'warning' },
  { text: 'disk = [[1]]\n', code: 'config-disk-nested', at: '[1]', hint: /one string/, severity: 'warning' },
]

t.test('the first diagnostic of each kind of mistake', async t => {
  for (const { text, code, at, hint, severity = 'error' } of cases) {
    const { success, diagnostics } = safeParseConfig(text)
    const first = diagnostics[0]
    const name = JSON.stringify(text)
    if (!first) {
      t.fail(`${name} has no diagnostic`)
      continue
    }
    t.equal(success, severity === 'warning', name)
    t.strictSame([first.severity, first.code, first.spec], [severity, code, text], name)
    t.equal(text.slice(first.start, first.end), at, name)
    if (hint) t.match(first.hint, hint, name)
    else t.notOk('hint' in first, name)
  }
})

t.test('notes say where a list begins, and what was there before', async t => {
  const [open] = safeParseConfig('a = [ [], [ 1\n').diagnostics
  t.match(open!.notes, [{ message: 'the list begins here', start: 10, end: 11 }])
  const [mixed] = safeParseConfig('b = 1\na = []\na += 1\n').diagnostics
  t.match(mixed!.notes, [{ message: 'the value so far', start: 6, end: 7 }])
})

t.test('an error that libxl is silent about has no diagnostic', async t => {
  const { diagnostics } = safeParseConfig('a = ? ?x b\nb = 1\n')
  t.strictSame(
    diagnostics.map(({ start }) => start),
    [4],
  )
})

t.test('a good text has none', async t => {
  t.strictSame(safeParseConfig('# c\nname = "x"; disk = [ "a", ]\n').diagnostics, [])
})
