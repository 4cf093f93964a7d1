import t from 'tap'
import { realPart } from '../support/real-part.js'
import { startLibxlutil } from './libxlutil.js'

t.test('the driver answers in order and outlives what libxlutil does not', async t => {
  const libxlutil = await realPart(t, () => startLibxlutil())
  if (!libxlutil) return
  using _ = libxlutil
  const jammed = [Buffer.from('/x,raw,xvda,w,=\n')]
  const fine = [Buffer.from('/x,raw,xvda,w')]
  const refused = [Buffer.from('/x'), Buffer.from('raw')]
  const answers = await libxlutil.disks([fine, jammed, jammed, refused, jammed, fine, []])

  t.match(answers[0], { rc: 0, report: Buffer.alloc(0) })
  t.equal(
    String((answers[0] as { json: Buffer }).json),
    '{\n    "pdev_path": "/x",\n    "vdev": "xvda",\n    "format": "raw",\n    "readwrite": 1\n}\n',
  )
  t.strictSame([answers[1], answers[2], answers[4]], ['crash', 'crash', 'crash'])
  t.strictSame(answers[3], {
    rc: 22,
    report: Buffer.from("command line: config parsing error in disk specification: no vdev specified in `raw'\n"),
    json: undefined,
  })
  t.strictSame(answers[5], answers[0])
  t.match(answers[6], { rc: 22 })
})

t.test('a configuration is read, and each get has its value and its own warning', async t => {
  const libxlutil = await realPart(t, () => startLibxlutil())
  if (!libxlutil) return
  using _ = libxlutil
  const gets = [
    ['string', 'name'],
    ['long', 'name'],
    ['long', 'memory'],
    ['list', 'disk'],
    ['list', 'none'],
  ] as const
  const [good, bad] = await libxlutil.configs([
    { filename: 'guest.cfg', text: Buffer.from('name="x"\nmemory=0x10\ndisk=["a",["b"],"ä"]\n'), gets },
    { filename: 'guest.cfg', text: Buffer.from('name=\n'), gets },
  ])

  const none = Buffer.alloc(0)
  t.strictSame(good, {
    rc: 0,
    report: none,
    gets: [
      { rc: 0, report: none, value: Buffer.from('x') },
      { rc: 22, report: Buffer.from("guest.cfg:1: warning: parameter `name' is not a valid number\n") },
      { rc: 0, report: none, value: 16n },
      { rc: 0, report: none, value: [Buffer.from('a'), undefined, Buffer.from('ä')] },
      { rc: 3, report: none },
    ],
  })
  const expected = "syntax error, unexpected NEWLINE, expecting STRING or NUMBER or '['"
  t.strictSame(bad, {
    rc: 22,
    report: Buffer.from(`guest.cfg:0: config parsing error near <newline>: ${expected}\n`),
    gets: [],
  })
})
