import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { projectRoot } from '../support/project-root.js'

const command = join(projectRoot, 'dist/bin/xl-disk-parse.cjs')

const run = (args: readonly string[], input: string | Uint8Array = '') => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { input, maxBuffer: 1 << 28 })
  return { status, stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1') }
}

/** Runs a shell's words, `$X` being the command. */
const sh = (script: string, ...args: string[]) => {
  const env = { ...process.env, X: `${process.execPath} ${command}` }
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...args], { env, encoding: 'latin1' })
  return { status, stdout, stderr }
}

t.test('the command runs alone, without zod', async t => {
  const { status, stdout, stderr } = run(['/a,,xvda'])
  t.match({ status, stdout, stderr }, { status: 0, stdout: /"pdev_path": "\/a"/, stderr: '' })
  t.notMatch(sh(`cat ${command}`).stdout, /ZodError/)
})

t.test('bytes that are not UTF-8 come out as they went in', async t => {
  const { stdout } = sh(`$X $'/\\xff\\xc3\\xa9,,xvda'`)
  t.match(stdout, '"pdev_path": "/\xff\xc3\xa9"')
  t.match(sh(`$X -N block-attach 0 $'/\\xff'`).stderr, "no vdev specified in `/\xff'")
  t.match(sh(`$X -o xenstore --offline $'/\\xff,,xvda'`).stdout, 'params = "/\\xff"')
  t.match(sh(`printf '/\\xff,,xvda' | $X --batch`).stdout, '"pdev_path":"/\\udcff"')
  t.match(sh(`$X $'/\\xef\\xbf\\xbd,,xvda'`).stdout, '"/\xef\xbf\xbd"', 'U+FFFD itself')
})

t.test('a reader that has gone', async t => {
  const { stdout, stderr } = sh(`yes /a,,xvda | head -n 300000 | $X --batch | head -n 1; echo "\${PIPESTATUS[2]}"`)
  t.equal(stderr, '')
  t.match(stdout, /^\{"rc":0.*\n141\n$/)
})

t.test('a full disk is an error', async t => {
  const full = { status: 1, stderr: 'xl-disk-parse: standard output: No space left on device\n' }
  for (const args of ['/a,,xvda', '--help', '--completion=bash']) t.match(sh(`$X ${args} > /dev/full`), full)
  t.match(sh('echo /a,,xvda | $X --batch > /dev/full'), full)
  t.match(sh('$X foo 2> /dev/full').status, 1)
})

t.test('streams that are closed, and a directory on standard input', async t => {
  t.equal(sh('$X /a,,xvda >&-').stderr, '')
  t.match(sh('$X --batch < /'), { status: 1, stderr: 'xl-disk-parse: standard input: Is a directory\n' })
  t.match(sh('$X --config /'), { status: 1, stderr: 'xl-disk-parse: /: Is a directory\n' })
  t.match(sh('$X --config /dev/zero'), { status: 1, stderr: /holds a NUL byte/ })
})

t.test('targets are looked at', async t => {
  const path = join(t.testdir({ image: '' }), 'image')
  t.match(run(['-oxenstore', `${path},,xvda`]).stdout, /type = "phy"/)
  t.match(run(['-oxenstore', `${path}/x,,xvda`]).stderr, /failed to stat: .*: Not a directory/)
  t.match(run(['-oxenstore', `${path}.gone,,xvda`]).stderr, /failed to stat: .*: No such file or directory/)
  t.match(run(['-oxenstore', '/,,xvda']).stdout, /type = "qdisk"/)
})

t.test('a line of 100 MB', async t => {
  const line = Buffer.alloc(100_000_000, 'a')
  t.match(run(['--batch'], line), { status: 0, stdout: /^\{"rc":22.*"too-long".*\}\n$/, stderr: '' })
  const path = join(t.testdir({}), 'big.cfg')
  writeFileSync(path, Buffer.concat([Buffer.from('disk = [ "'), line, Buffer.from('" ]\n')]))
  t.match(run(['--config', path]), { status: 1, stdout: '', stderr: /^xl-disk-parse: .*big\.cfg: .*larger.*\n$/ })
})

t.test('very many disks and very many errors fit into a small heap', async t => {
  const small = (text: string, ...args: string[]) => {
    const flags = ['--max-old-space-size=160', command, '--config', '-', ...args]
    const { status, stdout, stderr } = spawnSync(process.execPath, flags, { input: text, maxBuffer: 1 << 28 })
    return { status, stdout: stdout.length, stderr: stderr.toString('latin1', 0, 1 << 22) }
  }
  const disks = Array.from({ length: 20_000 }, (_, unit) => `"vdev=d${unit}p0,target=/x",\n`)
  const listed = small(`disk = [ ${disks.join('')} ]\n`, '--offline', '-oxenstore')
  t.match(listed, { status: 0, stderr: '' })
  t.ok(listed.stdout > 1000 * disks.length)
  t.match(small('A\n'.repeat(200_000), '--diagnostics=json'), {
    status: 1,
    stdout: 0,
    stderr: /\n\{"more":190000\}\n$/,
  })
})

t.test('each line is answered before the next one comes', async t => {
  const child = spawn(process.execPath, [command, '--batch'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = child.stdout[Symbol.asyncIterator]()
  for (const vdev of ['xvda', 'xvdb']) {
    child.stdin.write(`/a,,${vdev}\n`)
    t.match(String((await answers.next()).value), vdev)
  }
  child.stdin.end()
  t.equal((await answers.next()).done, true)
})

t.test('streams that another process has made non-blocking are waited for', async t => {
  const directory = t.testdir({})
  const [input, output] = ['input', 'output'].map(name => join(directory, name)) as [string, string]
  sh('mkfifo "$1" "$2"', input, output)
  const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants
  const reading = openSync(input, O_RDONLY | O_NONBLOCK)
  const answers = openSync(output, O_RDONLY | O_NONBLOCK)
  const writing = openSync(output, O_WRONLY | O_NONBLOCK)
  const questions = openSync(input, O_WRONLY)
  const child = spawn(process.execPath, [command, '--batch'], { stdio: [reading, writing, 'inherit'] })
  for (const file of [reading, writing]) closeSync(file)

  await setTimeout(200)
  // Less than a pipe holds, as nobody reads it meanwhile; the answers are far more than a pipe holds.
  writeSync(questions, '/a,,xvda\n'.repeat(5000))
  closeSync(questions)
  const exit = once(child, 'exit')
  await setTimeout(200)
  let length = 0
  const buffer = Buffer.alloc(1 << 16)
  for (let got = -1; got !== 0; ) {
    try {
      got = readSync(answers, buffer)
      length += got
    } catch {
      await setTimeout(5)
    }
  }
  closeSync(answers)
  t.strictSame(await exit, [0, null])
  t.equal(length, 5000 * run(['--batch'], '/a,,xvda\n').stdout.length)
})

t.test('a file in the place of a pipe', async t => {
  const path = join(t.testdir({ specs: '/a,,xvda\n/b,,xvdb\n' }), 'specs')
  const file = openSync(path, 'r')
  const { stdout } = spawnSync(process.execPath, [command, '--batch'], { stdio: [file, 'pipe', 'inherit'] })
  closeSync(file)
  t.equal(stdout.toString().split('\n').length, 3)
})
