import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { exitStatuses } from '#xenlight/xl-remus/exit-status.js'
import { runWith } from './run-with.js'

/** A folder with the file of a pair's name, and what the command's words about it begin with. */
function place(t: Test) {
  // a socket's path has to be short
  const folder = mkdtempSync(join(tmpdir(), 'xl-remus-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'pair'), 'a name\n')
  const image = join(folder, 'd.img')
  const files = [image, '--pair-file', join(folder, 'pair')]
  const sockets = ['--nbd', join(folder, 'd.nbd'), '--control', join(folder, 'd.ctl')]
  const serve = ['serve', ...files, ...sockets, '--listen', join(folder, 'peer')]
  return { folder, image, files, serve, create: ['create', ...files, '--size', '4M', '--log-size', '64M'] }
}

t.test('no exit status stands for two things', async t => {
  const numbers = Object.values(exitStatuses).map(([number]) => number)
  t.equal(new Set(numbers).size, numbers.length)
  t.ok(numbers.every(number => number >= 0 && number < 256))
})

t.test('a node that is not served', async t => {
  const { folder } = place(t)
  const control = join(folder, 'none')
  for (const verb of ['status', 'checkpoint', 'promote', 'demote', 'resync'])
    t.match(await runWith([verb, '--control', control]), {
      status: 5,
      stdout: '',
      stderr: `xl-remus: cannot reach a node at ${control}: no such socket: is the node served?\n`,
    })
  const file = join(folder, 'pair')
  t.match(await runWith(['status', '--control', file]), { status: 5, stderr: /nobody listens there/ })
})

t.test('something else answers at the control socket, or nothing does', async t => {
  const { folder } = place(t)
  for (const [name, says, why] of [
    ['garbage', 'HTTP/1.1 400 Bad Request\r\n\r\n', /the node answers what is no answer/],
    ['long', 'x'.repeat(200_000), /./],
    ['other', '{"id":77,"return":null}\n', /the node answers what is no answer/],
    ['silent', '', /^xl-remus: status, asked of the node at \S+: not done within 300 ms/],
  ] as const) {
    const control = join(folder, name)
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', () => says !== '' && socket.write(says))
    })
    await new Promise<void>(resolve => server.listen(control, resolve))
    t.match(
      await runWith(['status', '--control', control, '--timeout', '300ms']),
      { status: 5, stdout: '', stderr: why },
      name,
    )
    server.close()
  }
})

t.test('a node that refuses: 6 where nothing was changed, 5 where its clients may be gone', async t => {
  const { folder } = place(t)
  const control = join(folder, 'ctl')
  let code = ''
  const server = createServer(socket => {
    socket.on('data', () => socket.write(`${JSON.stringify({ id: 1, error: { code, message: 'not now' } })}\n`))
  })
  await new Promise<void>(resolve => server.listen(control, resolve))
  t.teardown(() => server.close())
  for (const [words, said, status] of [
    [['demote'], 'busy', 6],
    [['demote'], 'in-use', 6],
    [['demote', '--force'], 'busy', 5],
    [['demote', '--force'], 'peer-lost', 5],
    [['promote', '--force'], 'busy', 6],
    [['promote', '--force'], 'peer-is-primary', 6],
    [['checkpoint', 'on'], 'busy', 6],
  ] as const) {
    code = said
    const ended = await runWith([...words, '--control', control])
    t.strictSame(ended, { status, stdout: '', stderr: 'xl-remus: not now\n' }, `${words.join(' ')}: ${said}`)
  }
})

t.test('a node is made once, for this user alone, and nothing is written over', async t => {
  const { folder, image, files, create } = place(t)
  t.strictSame(await runWith(create), { status: 0, stdout: '', stderr: '' })
  t.equal(statSync(image).size, 4 * 2 ** 20)
  for (const ending of ['', '.meta', '.epochs']) t.equal(statSync(image + ending).mode & 0o777, 0o600)
  const before = readFileSync(`${image}.meta`)
  t.match(await runWith(create), { status: 5, stderr: /file already exists.*no file is written over/ })
  t.match(await runWith(['create', ...files]), { status: 5, stderr: /d\.img\.meta.*remove the files of an old node/ })
  t.ok(readFileSync(`${image}.meta`).equals(before))
  const nowhere = ['create', join(folder, 'none'), ...files.slice(1)]
  t.match(await runWith(nowhere), { status: 5, stderr: /none': give a size/ })
  writeFileSync(join(folder, 'odd'), 'x')
  t.match(await runWith(['create', join(folder, 'odd'), ...files.slice(1)]), {
    status: 5,
    stderr: /odd is neither a disk/,
  })
})

t.test('what a failed create has made is removed', async t => {
  const { folder, image, create } = place(t)
  t.match(await runWith([...create, '--log', join(folder, 'no', 'log')]), { status: 5, stderr: /no\/log/ })
  for (const ending of ['', '.meta']) t.throws(() => statSync(image + ending), { code: 'ENOENT' })
})

t.test("the file of a pair's name", async t => {
  const { folder, create } = place(t)
  const withFile = (file: string) => runWith([...create, '--pair-file', join(folder, file)])
  t.match(await withFile('none'), { status: 5, stderr: /none: No such file or directory/ })
  writeFileSync(join(folder, 'empty'), '\nsecond line\n')
  t.match(await withFile('empty'), { status: 64, stderr: /empty has no pair's name in its first line/ })
  writeFileSync(join(folder, 'long'), 'x'.repeat(257))
  t.match(await withFile('long'), { status: 64, stderr: /1 to 256 characters/ })
})

const broken: [what: string, by: (image: string, folder: string) => void, status: number, why: RegExp][] = [
  ['no disk', image => rmSync(image), 5, /d\.img': create the node first/],
  ['a disk that was cut', image => truncateSync(image, 2 ** 20), 5, /has 1048576 bytes, and had 4194304/],
  ['no metadata', image => rmSync(`${image}.meta`), 5, /d\.img\.meta': create the node first/],
  ['empty metadata', image => truncateSync(`${image}.meta`, 0), 5, /both copies of it are damaged: create/],
  ['no log', image => rmSync(`${image}.epochs`), 5, /d\.img\.epochs': create the node first/],
  ['another pair', (_, folder) => writeFileSync(join(folder, 'pair'), 'x'), 6, /made for a pair of another name/],
  [
    'a file for a socket',
    (_, folder) => writeFileSync(join(folder, 'd.nbd'), ''),
    5,
    /cannot listen for NBD clients at .*d\.nbd: another process listens there, or a file/,
  ],
]

for (const [what, by, status, why] of broken)
  t.test(`serve with ${what}`, async t => {
    const { folder, image, create, serve } = place(t)
    await runWith(create)
    by(image, folder)
    t.match(await runWith(serve), { status, stdout: '', stderr: why })
  })

t.test('serve where nobody can listen', async t => {
  const { folder, create, serve } = place(t)
  await runWith(create)
  for (const [option, where, why] of [
    ['--listen', '192.0.2.1:7800', /for the peer at 192\.0\.2\.1:7800: this machine has no such address/],
    ['--nbd', join(folder, 'no/nbd'), /for NBD clients at .*no\/nbd: the folder is not there/],
    ['--control', join(folder, 'no/ctl'), /for who controls it at .*no\/ctl: the folder is not there/],
    ['--control', `/${'x'.repeat(107)}`, /at most 107 bytes/],
  ] as const)
    t.match(await runWith([...serve, option, where]), { status: 5, stdout: '', stderr: why })
})

t.test('serve without the certificates', async t => {
  const { folder, create, serve } = place(t)
  await runWith(create)
  t.match(await runWith([...serve, '--tls', folder]), { status: 5, stderr: /ca\.pem: No such file/ })
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), 'no certificate')
  t.match(await runWith([...serve, '--tls', folder]), { status: 5, stderr: /certificate|PEM/ })
})

t.test('a reader that has gone', async t => {
  t.match(await runWith(['--help'], { failing: 'EPIPE' }), { status: 141, stderr: '' })
  t.match(await runWith(['--help'], { failing: 'ENOSPC' }), { status: 5, stderr: /standard output/ })
})

t.test('help, version, completion', async t => {
  t.match(await runWith(['-h']), { status: 0, stdout: /^Usage: xl-remus VERB/, stderr: '' })
  t.match(await runWith(['--version']), { status: 0, stdout: /^xl-remus \d+\.\d+\.\d+/ })
  for (const shell of ['bash', 'zsh', 'fish'])
    t.match(await runWith(['--completion', shell]), { status: 0, stdout: new RegExp(`# ${shell} completion`) })
})
