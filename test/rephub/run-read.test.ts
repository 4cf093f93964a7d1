import t from 'tap'
import { run } from '#xenlight/rephub/run.js'
import { eventually } from '../protocol-d/eventually.js'
import { InterruptedIo } from '../replication-command/interrupted-io.js'
import { playedControl, Refusal } from '../replication-command/played-control.js'
import { runWith } from './run-with.js'

const mebibyte = 1024 * 1024
/** A disk with any bytes. */
const disk = Buffer.from(Uint8Array.from({ length: 3 * mebibyte }, (_, at) => (at * 131) ^ (at >> 8)))
const partOf = ({ offset, length }: Record<string, unknown>) =>
  disk.subarray(Number(offset), Number(offset) + Number(length)).toString('base64')
const words = (offset: number | string, length: number | string) => [
  ...['read', 'web', 'root', '--offset', String(offset), '--length', String(length)],
]

t.test('the bytes of a disk, whatever they are, in parts of a MiB', async t => {
  const { control, asked } = await playedControl(t, ({ arguments: given }) => ({ data: partOf(given) }))
  for (const [offset, length] of [
    [0, 1],
    [511, 3],
    [5, mebibyte],
    [1000, 2 * mebibyte + 1],
  ] as const) {
    asked.length = 0
    const { status, stdout, stderr } = await runWith([...words(offset, length), '--control', control])
    t.match({ status, stderr }, { status: 0, stderr: '' })
    t.ok(Buffer.from(stdout, 'latin1').equals(disk.subarray(offset, offset + length)), `${length} at ${offset}`)
    t.strictSame(
      asked.map(({ execute, arguments: { length } }) => [execute, length]),
      Array.from({ length: Math.ceil(length / mebibyte) }, (_, at) => [
        'read',
        Math.min(mebibyte, length - at * mebibyte),
      ]),
    )
  }
  await runWith([...words(0, 1), '--branch', 'look', '--control', control])
  t.strictSame(asked.at(-1)?.arguments, { group: 'web', volume: 'root', branch: 'look', offset: 0, length: 1 })
})

t.test('no bytes of a disk go to a terminal unless that is forced', async t => {
  const { control, asked } = await playedControl(t, ({ arguments: given }) => ({ data: partOf(given) }))
  t.match(await runWith([...words(0, 4), '--control', control], { terminal: true }), {
    ...{ status: 64, stdout: '' },
    stderr: /a terminal obeys what a disk may have: .*--force/,
  })
  t.strictSame(asked, [])
  t.match(await runWith([...words(0, 4), '--force', '--control', control], { terminal: true }), {
    ...{ status: 0, stdout: disk.subarray(0, 4).toString('latin1'), stderr: '' },
  })
})

t.test('an answer of other bytes than were asked for', async t => {
  for (const data of ['', 'AAAA', 5, null]) {
    const { control } = await playedControl(t, () => ({ data }))
    const ended = await runWith([...words(0, 4), '--control', control])
    t.match(ended, { status: 1, stdout: '', stderr: /answers \d bytes, and was asked for 4/ }, String(data))
  }
})

t.test('what went wrong after a while, a reader that has gone, and who is interrupted', async t => {
  const { control, asked } = await playedControl(t, ({ arguments: given }) => {
    const { offset } = given
    if (Number(offset) < mebibyte) return { data: partOf(given) }
    throw new Refusal('lost', 'the agent has gone')
  })
  const cut = await runWith([...words(0, '2M'), '--control', control])
  t.match(cut, { status: 1, stderr: 'rephub: the agent has gone\n' })
  t.equal(cut.stdout.length, mebibyte, 'what was read is written')
  t.match(await runWith([...words(0, 5), '--control', control], { failing: 'EPIPE' }), { status: 141, stderr: '' })

  const silent = await playedControl(t, () => undefined)
  const io = new InterruptedIo([...words(0, 5), '--control', silent.control])
  const ended = run(io)
  await eventually('it is asked', () => silent.asked.length > 0)
  io.interrupt('SIGINT')
  t.equal(await ended, 130)
  t.strictSame(io.written, { 1: '', 2: '' })
  t.match(await runWith([...words(0, 5), '--timeout', '200ms', '--control', silent.control]), {
    ...{ status: 1, stdout: '' },
    stderr: /not done within 200 ms\n$/,
  })
  t.ok(asked.length > 0)
})
