import t from 'tap'
import { metaFileSize } from '#xenlight/keep/bitmap-file.js'
import { Metadata } from '#xenlight/protocol-d/keep/metadata.js'
import { record } from '../model/new-record.js'
import { PlayedFiles } from '../model/played-files.js'
import { geometry } from '../model/world.js'

class Disk {
  readonly files = new PlayedFiles({ data: geometry.size, meta: metaFileSize(geometry), log: 0 }, false)
  readonly host = { file: this.files.ask.bind(this.files) }

  constructor() {
    Metadata.create(this.host, geometry, record, throwIt)
    this.work()
  }

  work(): void {
    for (let busy = this.files.busy; busy.length > 0; busy = this.files.busy) this.files.step(busy[0]!)
  }

  load(): Metadata {
    let loaded: Metadata | undefined
    Metadata.load(this.host, geometry, (error, metadata) => {
      throwIt(error)
      loaded = metadata
    })
    this.work()
    return loaded!
  }

  /** As it is found after the power failed, with nothing of what was not durable. */
  afterCrash(): Metadata {
    this.files.crash('power', () => 0.9)
    return this.load()
  }
}

const throwIt = (error?: Error) => {
  if (error !== undefined) throw error
}
const blocks = (metadata: Metadata) => {
  const found: number[] = []
  for (let at = metadata.differing.next(0); at !== undefined; at = metadata.differing.next(at + 1)) found.push(at)
  return found
}

t.test('blocks are ready to be written once a crash finds them again', t => {
  const disk = new Disk()
  const metadata = disk.load()
  let isReady = false
  metadata.activate(5, 6, error => {
    throwIt(error)
    isReady = true
  })
  while (!isReady) disk.files.step('meta')
  t.strictSame(blocks(disk.afterCrash()), [4, 5, 6, 7], 'the whole extent')
  t.end()
})

t.test('an extent leaves the activity log when its bits are in the file, and the data is durable', t => {
  const disk = new Disk()
  const metadata = disk.load()
  for (const extent of [0, 1, 2]) metadata.activate(extent * 4, extent * 4 + 1, throwIt)
  disk.work()
  metadata.differing.addRun({ first: 0, count: 1 })
  for (const extent of [0, 1, 2]) metadata.deactivate(extent * 4, extent * 4 + 1)
  disk.host.file({ kind: 'write', file: 'data', offset: 0, data: new Uint8Array(512).fill(1) }, throwIt)
  let isReady = false
  metadata.activate(12, 13, error => {
    throwIt(error)
    isReady = true
  })
  disk.files.step('data')
  while (!isReady) disk.files.step(disk.files.busy[0]!)
  const after = disk.afterCrash()
  t.strictSame(blocks(after), [0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  t.strictSame([...after.record.activity], [1, 2, 3])
  t.equal(disk.files.view()[0], 1, 'the data is durable')
  t.end()
})

t.test('settled, a crash finds the bits and nothing else', t => {
  const disk = new Disk()
  const metadata = disk.load()
  metadata.activate(0, 1, throwIt)
  disk.work()
  metadata.differing.addRun({ first: 3, count: 2 })
  metadata.deactivate(0, 1)
  metadata.settle({ role: 'primary' }, throwIt)
  disk.work()
  const after = disk.afterCrash()
  t.strictSame(blocks(after), [3, 4])
  t.equal(after.record.role, 'primary')
  t.ok(after.isStale)
  after.differing.clear()
  after.settle({}, throwIt)
  disk.work()
  t.notOk(disk.afterCrash().isStale)
  t.end()
})

t.test('a record that is torn while it is written leaves the one before', t => {
  for (let torn = 0; torn < 64; torn++) {
    const disk = new Disk()
    const metadata = disk.load()
    metadata.save({ checkpoint: 1 }, throwIt)
    disk.work()
    metadata.save({ checkpoint: 2 }, throwIt)
    let call = 0
    disk.files.crash('power', () => (call++ < 2 ? 0.1 : ((torn * call) % 7) / 7))
    t.ok([1, 2].includes(disk.load().record.checkpoint))
  }
  t.end()
})

t.test('after a step that failed, none follows', t => {
  const disk = new Disk()
  const metadata = disk.load()
  disk.files.failNext('meta')
  const outcomes: (Error | undefined)[] = []
  metadata.activate(0, 1, error => outcomes.push(error))
  disk.work()
  metadata.activate(4, 5, error => outcomes.push(error))
  metadata.save({}, error => outcomes.push(error))
  metadata.settle({}, error => outcomes.push(error))
  disk.work()
  t.match(outcomes, Array(4).fill({ code: 'ENOSPC' }))
  t.end()
})

t.test('without either slot there is no metadata', t => {
  const disk = new Disk()
  disk.host.file({ kind: 'write', file: 'meta', offset: 0, data: new Uint8Array(metaFileSize(geometry)) }, throwIt)
  disk.work()
  let failure: Error | undefined
  Metadata.load(disk.host, geometry, error => {
    failure = error
  })
  disk.work()
  t.match(failure, { code: 'no-metadata', message: /create the node anew/ })
  t.end()
})
