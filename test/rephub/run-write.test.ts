import t from 'tap'
import { run } from '#xenlight/rephub/run.js'
import { eventually } from '../protocol-d/eventually.js'
import { InterruptedIo } from '../replication-command/interrupted-io.js'
import { type Answers, playedControl, Refusal } from '../replication-command/played-control.js'
import { runWith } from './run-with.js'

const mebibyte = 1024 * 1024
const words = (offset: number | string) => ['write', 'web', 'root', '--offset', String(offset)]
const bytes = (length: number) => Buffer.from(Uint8Array.from({ length }, (_, at) => (at * 7) ^ (at >> 9)))

/** Standard input in chunks of a size. */
function* chunks(of: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < of.length; at += size) yield of.subarray(at, at + size)
}

/** A disk that is written to. */
function written(size: number) {
  const disk = Buffer.alloc(size)
  const answers: Answers = ({ execute, arguments: { offset, data } }) => {
    if (execute === 'write') disk.set(Buffer.from(String(data), 'base64'), Number(offset))
    return {}
  }
  return { disk, answers }
}

t.test('standard input, in whatever pieces it comes, in parts of a MiB, and then durable', async t => {
  for (const [length, size] of [
    [0, 1],
    [1, 1],
    [5000, 7],
    [mebibyte, mebibyte],
    [2 * mebibyte + 5, 100_000],
    [3 * mebibyte, 4 * mebibyte],
  ] as const) {
    const { disk, answers } = written(4 * mebibyte)
    const { control, asked } = await playedControl(t, answers)
    const input = bytes(length)
    const ended = await runWith([...words(4096), '--control', control], { input: chunks(input, size) })
    t.strictSame(ended, { status: 0, stdout: '', stderr: '' })
    t.ok(disk.subarray(4096, 4096 + length).equals(input), `${length} in pieces of ${size}`)
    t.strictSame(
      asked.map(({ execute }) => execute),
      [...Array(Math.ceil(length / mebibyte)).fill('write'), 'flush'],
    )
    for (const { arguments: given } of asked) t.match(given, { group: 'web' })
  }
})

t.test('what is refused before anything is written is refused; after that it failed', async t => {
  let refusedAt = 0
  const { control } = await playedControl(t, ({ execute, arguments: { offset } }) => {
    if (execute === 'write' && Number(offset) >= refusedAt) throw new Refusal('not-allowed', 'the hub may not\x1b')
    return {}
  })
  const write = () => runWith([...words(0), '--control', control], { input: [bytes(3 * mebibyte)] })
  t.strictSame(await write(), { status: 2, stdout: '', stderr: 'rephub: the hub may not␛\n' })
  refusedAt = 2 * mebibyte
  t.strictSame(await write(), {
    ...{ status: 1, stdout: '' },
    stderr: 'rephub: the hub may not␛; 2097152 bytes from 0 on are written, and of the next 1048576 any may be\n',
  })
  const failing = await playedControl(t, ({ execute }) => {
    throw new Refusal(execute === 'flush' ? 'in-use' : 'file-failed', 'EIO')
  })
  t.match(await runWith([...words(7), '--control', failing.control], { input: [bytes(3)] }), {
    ...{ status: 1, stdout: '' },
    stderr: 'rephub: EIO; 0 bytes from 7 on are written, and of the next 3 any may be\n',
  })
})

t.test('standard input that fails, and who is interrupted, are told how much is written', async t => {
  const { control } = await playedControl(t, () => ({}))
  const failing = async function* () {
    yield bytes(mebibyte)
    throw Object.assign(new Error('read EIO'), { syscall: 'read' })
  }
  t.match(await runWith([...words('1G'), '--control', control], { input: failing() }), {
    ...{ status: 1, stdout: '' },
    stderr: 'rephub: read EIO; 1048576 bytes from 1073741824 on are written\n',
  })
  const silent = await playedControl(t, ({ arguments: { offset } }) => (offset === 0 ? {} : undefined))
  const io = new InterruptedIo([...words(0), '--control', silent.control], { input: [bytes(2 * mebibyte)] })
  const ended = run(io)
  await eventually('it is asked', () => silent.asked.length > 1)
  io.interrupt('SIGTERM')
  t.equal(await ended, 143)
  t.equal(
    io.written[2],
    'rephub: interrupted: 1048576 bytes from 0 on are written, and of the next 1048576 any may be\n',
  )
})
