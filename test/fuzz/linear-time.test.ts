import t from 'tap'
import { safeParseDisk } from 'xenlight'

const megabyte = 1_000_000
const fill = (piece: string) => piece.repeat(Math.ceil(megabyte / piece.length))

/** Each is a megabyte of one thing. A parser that looks at each byte more than a few times needs minutes for one. */
const shapes: Record<string, string> = {
  commas: fill(','),
  blanks: fill(' '),
  newlines: fill('\n'),
  letters: fill('a'),
  quotes: fill('"'),
  'equals signs': fill('='),
  colons: fill(':'),
  'a=': fill('a='),
  'a=b,': fill('a=b,'),
  'x:': fill('x:'),
  'raw:': fill('raw:'),
  'raw:qcow2:': fill('raw:qcow2:'),
  'nbd: without a stop': fill('nbd:'),
  'vdev=': fill('vdev=xvda,'),
  'vdev= of nothing': fill('vdev=,'),
  'format= of one thing': fill('format=raw,'),
  'format= of two things': fill('format=raw,format=qcow2,'),
  flags: fill('cdrom,'),
  'flags after blanks': fill('colo, \t'),
  'words after blanks': fill('a '),
  'words on lines': fill('a\n'),
  'blanks, then a word, on lines': fill(`${' '.repeat(1000)}a\n`),
  'targets on lines': fill('target=/x\n'),
  'one long target': `/x,raw,xvda,w,target=${fill('/')}`,
  'one long value': `script=${fill('s')},vdev=xvda,target=/x`,
  'a long name without a value': `${fill('abc-')}=`,
  'a long prefix': `${fill('abc')}:`,
  'a long blank before the end': `/x,raw,xvda,w,${fill(' \t')}`,
  'bytes over 0x7f': fill('é€🐧'),
  'bytes that are no UTF-8': fill('\udcff\udc80'),
  digits: `colo-port=${fill('9')},vdev=xvda,target=/x`,
}

for (const [name, spec] of Object.entries(shapes))
  t.test(`a megabyte of ${name}`, async t => {
    const result = safeParseDisk(spec)
    if (result.success) t.type(result.disk.vdev, 'string')
    else t.match(result.error.libxlMessage, /^command line: config parsing error in disk specification: /)
  })

t.test('200,000 words', async t => {
  const result = safeParseDisk(Array.from({ length: 200_000 }, () => 'cdrom'))
  t.match(result, { success: false, error: { libxlMessage: /no vdev specified in `cdrom'\n$/ } })
})
