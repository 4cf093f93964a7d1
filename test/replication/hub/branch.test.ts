import t, { type Test } from 'tap'
import type { BlockBackend } from 'xenlight/nbd'
import type { Hub } from '#xenlight/replication/hub/hub.js'
import { createRandom, type Random } from '../../support/random.js'
import { PlayedDisk } from './played-disk.js'
import { copyOf, difference, groupOf, type Images, imagesOf, PlayedGuest, someWrite, volumes } from './played-group.js'
import { playHub } from './played-hub.js'

/** A branch that is written to, and what it must have. */
class Used {
  readonly name: string
  readonly images: Images
  /** As they were when the last flush began. */
  flushed: Images
  /** What each sector may have after a crash, besides what it had at the last flush. */
  versions = new Map<string, Uint8Array[]>()

  constructor(name: string, images: Images) {
    this.name = name
    this.images = images
    this.flushed = copyOf(images)
  }

  disk(hub: Hub, number: number): BlockBackend {
    const { name } = volumes.find(volume => volume.number === number)!
    return hub.findExport(`web/${this.name}/${name}`)!.backend
  }

  async write(hub: Hub, random: Random): Promise<void> {
    const { volume, offset, data } = someWrite(random)
    const disk = this.disk(hub, volume)
    if (random.chance(0.3)) {
      data.fill(0)
      await disk.writeZeroes(offset, data.length, { mayTrim: random.chance(0.5) })
    } else await disk.write(offset, data)
    this.images.get(volume)!.set(data, offset)
    for (let at = offset; at < offset + data.length; at += 512) {
      const key = `${volume}:${at}`
      this.versions.set(key, [...(this.versions.get(key) ?? []), data.slice(at - offset, at - offset + 512)])
    }
  }

  async flush(hub: Hub): Promise<void> {
    for (const { number } of volumes) await this.disk(hub, number).flush()
    this.flushed = copyOf(this.images)
    this.versions = new Map()
  }

  async readSomewhere(hub: Hub, random: Random): Promise<string | undefined> {
    const { number, size } = random.pick(volumes)
    const offset = random.int(size)
    const length = 1 + random.int(Math.min(size - offset, random.pick([1, 5000, 100_000])))
    const bytes = await this.disk(hub, number).read(offset, length)
    const wanted = this.images.get(number)!.subarray(offset, offset + length)
    return Buffer.compare(bytes, wanted) === 0 ? undefined : `${this.name}: volume ${number}, ${offset}+${length}`
  }

  /** What of it a crash cannot have left so. */
  wrongAfterCrash(found: Images): string | undefined {
    for (const { number, size } of volumes)
      for (let at = 0; at < size; at += 512) {
        const is = found.get(number)!.subarray(at, at + 512)
        const may = [this.flushed.get(number)!.subarray(at, at + 512), ...(this.versions.get(`${number}:${at}`) ?? [])]
        if (!may.some(one => Buffer.compare(one, is) === 0))
          return `${this.name}: volume ${number} at ${at} has ${is[0]}`
      }
    return undefined
  }
}

async function onePlay(t: Test, seed: number): Promise<void> {
  const random = createRandom(seed)
  let disk = new PlayedDisk()
  let hub = await playHub(disk, { limits: { branches: 10 } })
  const guest = new PlayedGuest(hub, random)
  await guest.begin(hub)
  await guest.live(hub, 20)
  const used: Used[] = []
  let isLive = true
  for (let step = 0; step < 120; step++) {
    const one = used.length > 0 ? random.pick(used) : undefined
    const what = random.int(100)
    if (what < 10 && used.length < 4) {
      const [position, images] = random.pick([...guest.moments])
      const name = `test-${step}`
      await groupOf(hub).life.test({ name, at: { position }, by: 'me' })
      used.push(new Used(name, copyOf(images)))
    } else if (what < 60) await one?.write(hub, random)
    else if (what < 75) {
      const wrong = await one?.readSomewhere(hub, random)
      if (wrong !== undefined) t.fail(`seed ${seed}: ${wrong}`)
    } else if (what < 83) await one?.flush(hub)
    else if (what < 86 && one !== undefined) {
      await groupOf(hub).life.discard(one.name, 'me')
      used.splice(used.indexOf(one), 1)
    } else if (what < 94 && isLive) await guest.live(hub, 2)
    else if (what >= 97) {
      disk = random.chance(0.6) ? disk.afterPowerCut(random) : disk.afterKill()
      hub = await playHub(disk, { limits: { branches: 10 } })
      for (const one of used) {
        const found = await imagesOf(groupOf(hub).branches.get(one.name))
        // a kill leaves all that was written, but what the map says of it comes with a flush
        const wrong = one.wrongAfterCrash(found)
        if (wrong !== undefined) t.fail(`seed ${seed}, step ${step}: ${wrong}`)
        one.images.clear()
        for (const [number, bytes] of found) one.images.set(number, bytes)
        await one.flush(hub)
      }
      // its agent has gone with the hub
      isLive = false
    }
  }
  for (const one of used) {
    const wrong = difference(await imagesOf(groupOf(hub).branches.get(one.name)), one.images)
    if (wrong !== undefined) t.fail(`seed ${seed}: ${one.name}: ${wrong}`)
  }
  await hub.close()
}

t.test('branches at any point, all at once, with crashes', async t => {
  const { SEED, COUNT = 30 } = process.env
  const first = Number(SEED ?? Math.floor(Math.random() * 1e6))
  const count = Number(COUNT)
  t.comment(`seeds ${first} to ${first + count - 1}`)
  for (let seed = first; seed < first + count; seed++) await onePlay(t, seed)
  t.pass(`${count} plays`)
})
