import t from 'tap'
import { metaFileSize } from '#xenlight/keep/bitmap-file.js'
import type { FileDone } from '#xenlight/keep/keep-host.js'
import type { FileRequest } from '#xenlight/protocol-d/file-host.js'
import { EpochLog } from '#xenlight/protocol-d/keep/epoch-log.js'
import { LogFile, logFileSize } from '#xenlight/protocol-d/keep/log-file.js'
import { Metadata } from '#xenlight/protocol-d/keep/metadata.js'
import { record } from '../model/new-record.js'
import { PlayedFiles } from '../model/played-files.js'
import { contentOf, geometry, sector, sectorData } from '../model/world.js'

/** Files on which a log is begun, and begun again as after a crash. */
class Disk {
  readonly files = new PlayedFiles(
    { data: geometry.size, meta: metaFileSize(geometry), log: logFileSize(geometry.logSize) },
    false,
  )
  readonly #host = { file: this.files.ask.bind(this.files) }
  readonly failures: Error[] = []

  constructor() {
    this.done(done => LogFile.create(this.#host, record.log.id, done))
    this.done(done => Metadata.create(this.#host, geometry, record, done))
  }

  work(): void {
    for (let busy = this.files.busy; busy.length > 0; busy = this.files.busy) this.files.step(busy[0]!)
  }

  done<Value>(ask: (done: (error?: Error, value?: Value) => void) => void): Value {
    let outcome: { error: Error | undefined; value: Value } | undefined
    ask((error, value) => {
      outcome = { error, value: value as Value }
    })
    this.work()
    if (outcome === undefined || outcome.error !== undefined) throw outcome?.error ?? new Error('nothing came of it')
    return outcome.value
  }

  /** @returns a log, and the last checkpoint that was found in it */
  open(memory = 1 << 20): { log: EpochLog; checkpoint: number | undefined } {
    const metadata = this.done<Metadata>(done => Metadata.load(this.#host, geometry, done))
    const log = new EpochLog(this.#host, metadata, { memory, failed: error => this.failures.push(error) })
    const checkpoint = this.done<number | undefined>(done => log.recover(done))
    return { log, checkpoint }
  }

  get content(): number[] {
    return [...contentOf(this.files.view())].slice(0, 4)
  }
}

const append = (log: EpochLog, at: number, tag: number, sectors = 1) =>
  log.append({ kind: 'write', offset: at * sector, data: sectorData(tag, sectors * sector) }, () => {})

for (const memory of [0, 1 << 20])
  t.test(`what is committed is applied, the rest is discarded; ${memory} bytes of memory`, t => {
    const disk = new Disk()
    const { log } = disk.open(memory)
    append(log, 0, 1)
    append(log, 1, 2)
    disk.done(done => log.commit(7, done))
    t.strictSame(disk.content, [1, 2, 0, 0])
    append(log, 0, 3)
    log.append({ kind: 'zero', offset: sector, length: sector }, () => {})
    disk.work()
    t.strictSame(disk.content, [1, 2, 0, 0])
    t.equal(log.openEntries, 2)
    t.ok(log.openBytes > sector)
    log.discard()
    t.equal(log.openBytes, 0)
    append(log, 2, 4)
    disk.done(done => log.commit(8, done))
    t.strictSame(disk.content, [1, 2, 4, 0], 'nothing of what was discarded')
    t.end()
  })

t.test('a crash behind the commit: it is applied after it', t => {
  const disk = new Disk()
  const { log } = disk.open()
  append(log, 0, 1)
  disk.work()
  append(log, 1, 2)
  let isDurable = false
  log.commit(7, () => {
    isDurable = true
  })
  while (!isDurable) disk.files.step('log')
  append(log, 2, 3)
  disk.files.crash('power', () => 0.9)
  t.strictSame(disk.content, [0, 0, 0, 0], 'it was not applied yet')
  const again = disk.open()
  t.equal(again.checkpoint, 7)
  t.strictSame(disk.content, [1, 2, 0, 0])
  t.equal(again.log.openEntries, 0, 'what was not committed is gone')
  t.end()
})

t.test('a log goes round and round; what was written before is not taken for its own', t => {
  const disk = new Disk()
  let { log } = disk.open()
  for (let epoch = 1; epoch < 40; epoch++) {
    append(log, epoch % 4, epoch, 3)
    disk.done(done => log.commit(epoch, done))
    if (!log.hasRoom(3 * sector)) disk.done(done => log.whenRoom(done))
    if (epoch % 7 !== 0) continue
    append(log, 0, 99)
    disk.work()
    disk.files.crash('power', () => 0.9)
    const again = disk.open()
    t.ok(again.checkpoint === undefined || again.checkpoint <= epoch)
    log = again.log
  }
  t.strictSame(disk.failures, [])
  t.strictSame(disk.content, [36, 37, 38, 39])
  t.end()
})

t.test('what has no room is told apart: for now, or in an epoch that is too large', t => {
  const disk = new Disk()
  const { log } = disk.open()
  for (let at = 0; log.hasRoom(4 * sector); at = (at + 4) % 40) append(log, at, 1, 4)
  t.notOk(log.canHaveRoom(4 * sector), 'an epoch of this size')
  disk.done(done => log.commit(1, done))
  t.ok(log.canHaveRoom(4 * sector))
  disk.done(done => (log.hasRoom(4 * sector) ? done() : log.whenRoom(done)))
  t.ok(log.hasRoom(4 * sector))
  t.end()
})

t.test('a log that cannot be written acknowledges nothing behind that', t => {
  const disk = new Disk()
  const { log } = disk.open()
  disk.files.failNext('log')
  append(log, 0, 1)
  const outcomes: (Error | undefined)[] = []
  log.commit(1, error => outcomes.push(error))
  disk.work()
  log.commit(2, error => outcomes.push(error))
  disk.work()
  t.match(outcomes, [{ code: 'ENOSPC' }, { code: 'ENOSPC' }])
  t.strictSame(disk.content, [0, 0, 0, 0])
  t.equal(disk.failures.length, 1)
  t.end()
})

t.test('syncs that end in another order do not have the log begin earlier again', t => {
  const disk = new Disk()
  const syncs: (() => void)[] = []
  const files = disk.files
  let isHeld = false
  const host = {
    file: (request: FileRequest, done: FileDone) => {
      if (isHeld && request.kind === 'sync' && request.file === 'data') syncs.push(() => files.ask(request, done))
      else files.ask(request, done)
    },
  }
  const metadata = disk.done<Metadata>(done => Metadata.load(host, geometry, done))
  const log = new EpochLog(host, metadata, { memory: 1 << 20, failed: error => t.fail(error.message) })
  disk.done<unknown>(done => log.recover(done))
  isHeld = true
  for (let epoch = 1; syncs.length === 0; epoch++) {
    append(log, 0, epoch, 3)
    disk.done(done => log.commit(epoch, done))
  }
  append(log, 0, 98, 3)
  disk.done(done => log.commit(98, done))
  let isDrained = false
  log.drain(() => {
    isDrained = true
  })
  t.equal(syncs.length, 2)
  syncs[1]!()
  disk.work()
  t.ok(isDrained, 'others may write to the disk now')
  files.ask({ kind: 'write', file: 'data', offset: 0, data: sectorData(99, sector) }, () => {})
  disk.work()
  syncs[0]!()
  disk.work()
  disk.files.crash('process', () => 1)
  disk.open()
  t.equal(disk.content[0], 99, 'and what they wrote stays')
  t.end()
})
