import type { Hub } from '#xenlight/replication/hub/hub.js'
import type { At } from '#xenlight/replication/hub/resolve-point.js'
import { createRandom, type Random } from '../../support/random.js'
import { PlayedAgent } from './played-agent.js'
import { PlayedDisk } from './played-disk.js'
import {
  copyOf,
  difference,
  groupOf,
  type Images,
  imagesOf,
  newestOf,
  PlayedGuest,
  someWrite,
  volumes,
} from './played-group.js'
import { playHub } from './played-hub.js'
import { PlayedPrimary } from './played-primary.js'

const newest = { newest: true } as const

/** What is known of a group from outside, as somebody goes through its life: all that was answered must hold after any crash. */
class Story {
  hub: Hub
  readonly guest: PlayedGuest
  readonly primary: PlayedPrimary
  /** What the branch's disks have, flushed. */
  branch: Images = new Map()
  /** The epoch at least. */
  epoch = 1
  /** Once a fail-over is answered, until it is asked to roll it back or fail it back: nothing of the primary side is taken. */
  isFenced = false

  /** What came after it is undone by the fail-back. */
  lastKept = Number.POSITIVE_INFINITY
  /** Whether there is a commit before the fail-back. */
  isCommitted = true

  constructor(hub: Hub, guest: PlayedGuest) {
    this.hub = hub
    this.guest = guest
    this.primary = new PlayedPrimary(guest.images)
  }

  get group() {
    return groupOf(this.hub)
  }

  get life() {
    return this.group.record.life
  }

  /** Each step can be taken again, whatever came of it. */
  readonly steps: Record<string, () => Promise<void>> = {
    test: async () => {
      if (this.group.branches.record('try')?.state !== 'ready')
        await this.group.life.test({ name: 'try', at: newest, by: 'me' })
      this.branch = copyOf(this.guest.images)
      const wrong = difference(await imagesOf(this.group.branches.get('try')), this.branch)
      if (wrong !== undefined) throw new Error(wrong)
    },
    'discard the test': async () => {
      if (this.group.branches.record('try') !== undefined) await this.group.life.discard('try', 'me')
    },
    'fail over': async () => {
      await this.#failOver('first', newest, this.guest.images)
    },
    'write to the branch': async () => {
      await this.#write('first')
    },
    'roll back': async () => {
      this.isFenced = false
      if (this.life.state !== 'protected') await this.group.life.discard('first', 'me')
    },
    'fail over again': async () => {
      // to an earlier moment: what came after it is undone once it is failed back
      const [position, images] = [...this.guest.moments][3]!
      await this.#failOver('second', { position }, images)
      this.lastKept = position
    },
    'write to that branch': async () => {
      await this.#write('second')
    },
    commit: async () => {
      if (this.isCommitted && this.life.state !== 'committed') await this.group.life.commit('second', 'me')
    },
    'fail back': async () => {
      this.isFenced = false
      if (this.life.state !== 'protected') await this.group.life.failBack(this.primary, { by: 'me' })
    },
  }

  /** What is wrong with what is found after a crash, between two steps or in the middle of one. */
  async findWrong(): Promise<string | undefined> {
    const { group } = this
    const { record } = group
    const { problem, state } = group.status()
    if (problem !== undefined) return `problem: ${problem}`
    if (record.epoch < this.epoch) return `epoch ${record.epoch} after ${this.epoch}`
    if (['failing-over', 'rolling-back'].includes(state)) return `it is still ${state}`
    if (record.branches.some(branch => branch.state !== 'ready')) return 'a branch is neither made nor gone'
    if (this.isFenced && record.life.state === 'protected') return 'it is not fenced any more'
    const mayBeUndone = ['returning', 'committed'].includes(state) || record.takeOver?.kind === 'fail-back'
    for (const [position, images] of this.guest.moments) {
      if (mayBeUndone && position > this.lastKept) continue
      const view = await group.journal.view(position)
      for (const [number, bytes] of images)
        if (Buffer.compare(bytes, await view.read(number, 0, bytes.length)) !== 0)
          return `position ${position} has changed`
      view.close()
    }
    this.epoch = record.epoch
    return undefined
  }

  async #failOver(name: string, at: At, images: Images): Promise<void> {
    if (this.group.branches.record(name)?.state !== 'ready') await this.group.life.failOver({ name, at, by: 'me' })
    this.isFenced = true
    const wrong = difference(await imagesOf(this.group.branches.get(name)), images)
    if (wrong !== undefined) throw new Error(wrong)
    this.branch = copyOf(images)
  }

  async #write(branch: string): Promise<void> {
    const random = createRandom(5)
    for (let count = 0; count < 6; count++) {
      const { volume, offset, data } = someWrite(random)
      const { name } = volumes.find(({ number }) => number === volume)!
      const { backend } = this.hub.findExport(`web/${branch}/${name}`)!
      await backend.write(offset, data)
      await backend.flush()
      this.branch.get(volume)!.set(data, offset)
    }
  }
}

async function begin(disk: PlayedDisk): Promise<Story> {
  const hub = await playHub(disk)
  const guest = new PlayedGuest(hub, createRandom(3))
  await guest.begin(hub)
  await guest.live(hub, 5)
  return new Story(hub, guest)
}

/** Goes through all steps, with a crash before one change of the disk, after which it goes on. @returns whether it was reached */
export async function goThroughCrash(crashAt: number, seed: number): Promise<{ wrong?: string; isReached: boolean }> {
  const random: Random = createRandom(seed)
  let disk = new PlayedDisk()
  const story = await begin(disk)
  story.isCommitted = random.chance(0.5)
  disk.crashAt = disk.operations + crashAt
  let isReached = false
  for (const [name, step] of Object.entries(story.steps)) {
    for (let tries = 0; ; tries++) {
      let failure: unknown
      try {
        await step()
      } catch (error) {
        failure = error
      }
      if (failure === undefined && !disk.isCrashed) break
      if (!disk.isCrashed || tries > 1) return { wrong: `${name}: ${(failure as Error).message}`, isReached }
      isReached = true
      disk = random.chance(0.7) ? disk.afterPowerCut(random) : disk.afterKill()
      story.hub = await playHub(disk)
      const wrong = await story.findWrong()
      if (wrong !== undefined) return { wrong: `after a crash in "${name}": ${wrong}`, isReached }
    }
    if (story.group.record.epoch < story.epoch) return { wrong: `${name}: the epoch went back`, isReached }
    story.epoch = story.group.record.epoch
    if (name === 'roll back') {
      const wrong = difference(await newestOf(story.hub), story.guest.images)
      if (wrong !== undefined) return { wrong: `after the roll-back: ${wrong}`, isReached }
      const agent = new PlayedAgent(story.hub, 'host-1')
      const { received, epoch } = await agent.attached('web', { volumes, epoch: 1 })
      agent.user.ended()
      if (received === undefined || epoch !== 3) return { wrong: `received ${received} in epoch ${epoch}`, isReached }
    }
  }
  const wrong =
    difference(await newestOf(story.hub), story.branch) ??
    difference(story.primary.images, story.branch) ??
    (story.group.record.epoch < (story.isCommitted ? 6 : 5) ? `epoch ${story.group.record.epoch}` : undefined)
  await story.hub.close()
  // nothing is left behind
  const again = await playHub(disk.afterKill())
  const { branches, used } = groupOf(again).status()
  if (branches.length > 0 || used.overlayBytes > 0) return { wrong: 'something of the branches is left', isReached }
  return { ...(wrong !== undefined && { wrong: `at the end: ${wrong}` }), isReached }
}

/** Each step is tried again; where a sync has failed, which is never forgotten, by a hub that was started again. */
export async function goThroughFull(failAt: number): Promise<{ wrong?: string; isReached: boolean }> {
  let disk = new PlayedDisk()
  const story = await begin(disk)
  disk.failAt = disk.operations + failAt
  let isReached = false
  for (const [name, step] of Object.entries(story.steps))
    for (let tries = 0; ; tries++) {
      try {
        await step()
        break
      } catch (error) {
        isReached = true
        if (tries > 3) return { wrong: `${name}: ${(error as Error).message}`, isReached }
        await story.hub.look()
        if (tries < 2) continue
        disk = disk.afterKill()
        story.hub = await playHub(disk)
      }
    }
  isReached ||= disk.operations >= disk.failAt
  const wrong = difference(await newestOf(story.hub), story.branch) ?? difference(story.primary.images, story.branch)
  return { ...(wrong !== undefined && { wrong }), isReached }
}
