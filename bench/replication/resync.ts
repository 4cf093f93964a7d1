import { Teardowns } from '../../test/protocol-d/teardowns.js'
import { runFio } from '../fio.js'
import { median, table } from '../statistics.js'
import { atMost } from './goal.js'
import { makeDisk, mebibyte } from './make-disk.js'
import { Place } from './place.js'

const size = 2048 * mebibyte
/** How long there is no hub, in seconds. */
const outage = 60
/** In bytes a second. */
const rate = 5_000_000
const blockSize = 32 * 1024
/** Of the disk that is copied for the first time, in bytes. */
const copied = 256 * mebibyte
const copies = 3

/**
 * A disk is written to while there is no hub, which is killed: once with room for all of it at the agent, and once without, so that
 * the bitmap alone knows what differs. Beside it, how long a first copy of as many bytes takes.
 */
export async function benchResync(): Promise<string> {
  const rates: number[] = []
  for (let round = 0; round < copies; round++) rates.push(await firstCopy())
  const speed = median(rates)
  await using stack = new Teardowns()
  const ways = [
    { name: 'what waits is sent', place: stack.use(new Place()) },
    { name: 'what is marked is sent', place: stack.use(new Place({ buffer: { memory: '4M', file: '4M' } })) },
  ]
  for (const { place } of ways) {
    makeDisk(place.image, { size })
    await place.startBoth()
  }
  const before = await Promise.all(ways.map(({ place }) => receivedBy(place)))
  for (const { place } of ways) await place.hub.kill()
  // both are written to at the same time, and copied one after the other
  const written = await Promise.all(ways.map(({ place }) => write(place)))
  const rows: string[][] = []
  for (const [index, { name, place }] of ways.entries()) {
    const marked = await markedOf(place)
    const { seconds, copying } = await catchUp(place)
    const sent = (await receivedBy(place)) - before[index]!
    const ofCopy = copying / (sent / speed)
    rows.push([
      name,
      ...[written[index]!, marked, sent].map(bytes => (bytes / 1e6).toFixed(0)),
      ...[seconds, copying, ofCopy].map(one => one.toFixed(2)),
      atMost(ofCopy, 1.2),
    ])
  }
  const columns = [
    'written MB',
    'marked MB',
    'sent MB',
    's until all is there',
    's of it connected',
    'of a copy',
    'goal',
  ]
  return [
    table([[`replication: ${outage} s without a hub`, ...columns], ...rows]),
    `a first copy, of ${copied / mebibyte} MiB of data: ${(speed / 1e6).toFixed(0)} MB/s`,
  ].join('\n')
}

/** In bytes a second. */
async function firstCopy(): Promise<number> {
  await using stack = new Teardowns()
  const place = stack.use(new Place())
  makeDisk(place.image, { size: copied, data: copied })
  await place.start('agent')
  return copied / (await catchUp(place)).copying
}

/** @returns how many bytes were written */
async function write({ uri }: Place): Promise<number> {
  const options = ['--rw=randwrite', `--bs=${blockSize}`, '--iodepth=4', `--size=${size}`, `--rate=${rate}`]
  const { write } = await runFio(uri, [...options, `--runtime=${outage}`])
  return write.bytes
}

/** How much of a disk may differ from what the hub has, in bytes. */
async function markedOf(place: Place): Promise<number> {
  const { volumes } = await place.agentGroup()
  const { state } = volumes[0]!
  if (state.state !== 'degraded') throw new Error(`without a hub the disk is ${JSON.stringify(state)}`)
  return state.bytes ?? 0
}

/** How much the hub has received, in bytes. */
const receivedBy = async (place: Place): Promise<number> => (await place.hubGroup()).used.journalBytes

/** Starts the hub, and waits until it has all. In seconds: from its start, and from the connection. */
async function catchUp(place: Place): Promise<{ seconds: number; copying: number }> {
  const start = performance.now()
  place.hub.start()
  await place.until('the hub is reached', ({ volumes }) => volumes[0]!.state.state !== 'degraded')
  const reached = performance.now()
  await place.untilProtected()
  const end = performance.now()
  return { seconds: (end - start) / 1000, copying: (end - reached) / 1000 }
}
