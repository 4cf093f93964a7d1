import t from 'tap'
import { createRandom, type Random } from '../support/random.js'
import { contentOf, geometry, sector, sectorData, sectors, World } from './model/world.js'

const { SEED, MOVES = '300' } = process.env
const seed = SEED === undefined ? Date.now() % 1_000_000_000 : Number(SEED)

/** Does what there is to do, in a random order, until something is so. */
function workUntil(world: World, random: Random, isSo: () => boolean): void {
  for (let steps = 0; !isSo(); steps++) {
    const choices: (() => void)[] = world.deliverable.map(
      ({ to, channel }) =>
        () =>
          world.deliver(to, channel),
    )
    for (const index of [0, 1])
      for (const file of world.files[index]!.busy) choices.push(() => world.files[index]!.step(file))
    if (choices.length === 0 || steps > 50_000)
      throw new Error(`it never comes: ${JSON.stringify(world.nodes.map(node => node?.status()))}`)
    random.pick(choices)()
  }
}

function pairOf(random: Random): World {
  const { activeExtents } = geometry
  const options = {
    memory: 4096,
    activeExtents,
    afterSplitBrain: 'disconnect',
    asksAlone: false,
    acknowledgeFromMemory: false,
  } as const
  const world = new World(options, random.chance(0.5), { sent: () => {}, writes: () => () => {} })
  for (const index of [0, 1]) world.start(index)
  workUntil(world, random, () => world.nodes.every(Boolean))
  call(world, random, done => world.nodes[0]!.promote({ force: true }, done))
  world.connect()
  workUntil(world, random, () => world.nodes.every(node => node!.status().connection === 'equal'))
  return world
}

function call(world: World, random: Random, start: (done: (error?: Error) => void) => void): void {
  let isDone = false
  start(error => {
    if (error !== undefined) throw error
    isDone = true
  })
  workUntil(world, random, () => isDone)
}

t.test(`a guest that moves between two Primaries sees all that it wrote, SEED=${seed}`, t => {
  for (let move = 0; move < Number(MOVES); move++) {
    const random = createRandom(seed + move)
    const world = pairOf(random)
    call(world, random, done => world.nodes[1]!.promote({ two: true }, done))
    const content = contentOf(new Uint8Array(geometry.size)).slice() as number[]
    let tag = 0
    let at = 0
    for (let hop = 0; hop < 4; hop++) {
      for (let count = random.int(6); count > 0; count--) {
        const first = random.int(sectors)
        const length = Math.min(sectors - first, 1 + random.int(4))
        tag++
        call(world, random, done => world.nodes[at]!.write(first * sector, sectorData(tag, length * sector), done))
        content.fill(tag, first, first + length)
      }
      // as QEMU does before the other side runs the guest
      call(world, random, done => world.nodes[at]!.flush(done))
      at = 1 - at
      let seen: Uint8Array | undefined
      call(world, random, done =>
        world.nodes[at]!.read(0, geometry.size, (error, data) => {
          seen = data
          done(error)
        }),
      )
      if (contentOf(seen!).join() !== content.join())
        throw new Error(`seed ${seed + move}: node ${at} shows ${contentOf(seen!).join()}, not ${content.join()}`)
    }
    // one steps down, and both hold the same
    call(world, random, done => world.nodes[1 - at]!.demote(done))
    workUntil(
      world,
      random,
      () => world.nodes.every(node => node!.status().unacknowledged === 0) && world.nodes[at]!.status().isWriter,
    )
    if (world.content(0).join() !== world.content(1).join())
      throw new Error(`seed ${seed + move}: they differ in the end`)
  }
  t.pass(`${MOVES} guests moved`)
  t.end()
})

t.test(
  `checkpointing is switched on and off on a live pair: what is received counts from the switch, SEED=${seed}`,
  t => {
    for (let run = 0; run < Number(MOVES); run++) {
      const random = createRandom(seed + run)
      const world = pairOf(random)
      const [primary] = world.nodes
      let committed = world.content(0)
      let isOn = false
      for (let step = 0; step < 12; step++) {
        const sectorAt = random.int(sectors)
        if (random.chance(0.6)) {
          call(world, random, done => primary!.write(sectorAt * sector, sectorData(run * 100 + step + 1, sector), done))
          continue
        }
        if (random.chance(0.5)) {
          isOn = !isOn
          call(world, random, done => primary!.setCheckpointing(isOn, done))
        } else if (isOn)
          call(world, random, done => primary!.checkpoint(error => (error ? done(error) : primary!.waitForAck(done))))
        else continue
        committed = world.content(0)
      }
      workUntil(
        world,
        random,
        () => world.deliverable.length === 0 && world.files.every(({ busy }) => busy.length === 0),
      )
      const expected = isOn ? committed : world.content(0)
      world.crash(0, 'process', () => 0)
      world.hearOfEnd(1)
      call(world, random, done => world.nodes[1]!.promote({}, done))
      if (world.content(1).join() !== expected.join())
        throw new Error(`seed ${seed + run}: it took over with ${world.content(1).join()}, not ${expected.join()}`)
    }
    t.pass(`${MOVES} runs`)
    t.end()
  },
)
