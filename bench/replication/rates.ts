import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { type FioFigures, runFio } from '../fio.js'
import { median, table } from '../statistics.js'
import { atLeast } from './goal.js'
import { makeDisk, mebibyte } from './make-disk.js'
import { Place } from './place.js'
import { qemuNbd } from './qemu-nbd.js'

const rounds = 3
const size = 256 * mebibyte
/** Of writes of 4 KiB at each depth: what is kept of qemu-nbd's. */
const goals = new Map([
  [1, 0.9],
  [16, 1.5],
  [64, undefined],
])

/** Who serves the disk. */
interface Server {
  name: string
  uri: string
  untilKept?(): Promise<void>
}

/** The disk of an inline group, with its hub and without one, and one that qemu-nbd serves, by turns within each round. */
export async function benchRates(): Promise<string> {
  await using stack = new Teardowns()
  const [inline, alone, plain] = [stack.use(new Place()), stack.use(new Place()), stack.use(new Place())]
  for (const place of [inline, alone, plain]) makeDisk(place.image, { size, data: size })
  await inline.startBoth()
  await alone.start('agent')
  stack.use(await qemuNbd(plain.path('q'), plain.image))
  const servers: Server[] = [
    { name: 'inline', uri: inline.uri, untilKept: () => inline.untilCaughtUp() },
    { name: 'inline, no hub', uri: alone.uri },
    { name: 'qemu-nbd', uri: `nbd+unix:///?socket=${plain.path('q')}` },
  ]
  const figures = new Map([...goals.keys()].map(depth => [depth, servers.map((): FioFigures[] => [])]))
  // the first writes to each part of a disk are recorded
  for (const server of servers) await write(server, 16)
  for (let round = 0; round < rounds; round++)
    for (const [depth, ofServers] of figures)
      for (const [index, server] of servers.entries()) ofServers[index]!.push(await write(server, depth))
  const rows = [...figures].flatMap(([depth, ofServers]) =>
    servers.map(({ name }, index) => row(`depth ${depth}: ${name}`, ofServers[index]!, ofServers[2]!, index, depth)),
  )
  return table([['replication: 4 KiB writes', 'IOPS', 'of qemu-nbd', 'mean µs', 'p99 µs', 'goal'], ...rows])
}

async function write({ uri, untilKept }: Server, depth: number): Promise<FioFigures> {
  const what = ['--rw=randwrite', '--bs=4k', `--iodepth=${depth}`, `--size=${size}`, '--runtime=2']
  const { write } = await runFio(uri, what)
  await untilKept?.()
  return write
}

/** The medians, and the median of the rounds' own ratios. */
function row(name: string, own: readonly FioFigures[], others: readonly FioFigures[], index: number, depth: number) {
  const cell = (of: (figures: FioFigures) => number) => median(own.map(of)).toFixed(0)
  const kept = median(own.map(({ iops }, round) => iops / others[round]!.iops))
  const goal = index === 0 ? goals.get(depth) : undefined
  return [
    ...[name, cell(({ iops }) => iops), kept.toFixed(2), cell(({ mean }) => mean), cell(({ p99 }) => p99)],
    goal === undefined ? '' : atLeast(kept, goal),
  ]
}
