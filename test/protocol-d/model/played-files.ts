import type { FileDone } from '#xenlight/keep/keep-host.js'
import type { FileRequest, NodeFile } from '#xenlight/protocol-d/file-host.js'

/** The unit in which a disk tears what is being written when the power fails. */
const sector = 512

interface Asked {
  request: FileRequest
  done: FileDone
  /** Of a sync: how many writes were asked before it. */
  after: number
}

interface Unsynced {
  offset: number
  data: Uint8Array
  /** How many writes were asked before it. */
  place: number
}

/** What is left of a node's files after a crash: `process` what was written to them; `power` what was synced, and any of the rest. */
export type Crash = 'process' | 'power'

/** The files of a node: what was asked of them, what they have, and what they still have after a crash. */
export class PlayedFiles {
  /** What a read sees. */
  readonly #now = new Map<NodeFile, Uint8Array>()
  /** What no crash takes away. */
  readonly #durable = new Map<NodeFile, Uint8Array>()
  /** What was written since the last sync. */
  readonly #unsynced = new Map<NodeFile, Unsynced[]>()
  /** How many writes were asked of a file. */
  readonly #writes = new Map<NodeFile, number>()
  readonly #asked = new Map<NodeFile, Asked[]>()
  /** Files of which the next request fails; and those whose sync has failed, which no later one makes good. */
  readonly #failing = new Set<NodeFile>()
  readonly #unsyncable = new Set<NodeFile>()
  /** Whether reads and writes are done at once, as synchronous calls are. */
  readonly isPrompt: boolean

  constructor(sizes: Record<NodeFile, number>, isPrompt: boolean) {
    this.isPrompt = isPrompt
    for (const [file, size] of Object.entries(sizes) as [NodeFile, number][]) {
      this.#now.set(file, new Uint8Array(size))
      this.#durable.set(file, new Uint8Array(size))
      this.#unsynced.set(file, [])
      this.#asked.set(file, [])
    }
  }

  ask(request: FileRequest, done: FileDone): void {
    const asked = this.#asked.get(request.file)!
    const own = request.kind === 'write' ? { ...request, data: request.data.slice() } : request
    const after = this.#writes.get(request.file) ?? 0
    const one = { request: own, done, after }
    if (writtenBy(request) !== undefined) this.#writes.set(request.file, after + 1)
    // what is done at once passes a sync that is under way
    if (this.isPrompt && request.kind !== 'sync') this.#do(one)
    else asked.push(one)
  }

  /** The files of which something is asked. */
  get busy(): NodeFile[] {
    return [...this.#asked].filter(([, asked]) => asked.length > 0).map(([file]) => file)
  }

  /** Does the next thing that was asked. */
  step(file: NodeFile): void {
    this.#do(this.#asked.get(file)!.shift()!)
  }

  /** The next request to this file fails: the disk is full, or broken. */
  failNext(file: NodeFile): void {
    this.#failing.add(file)
  }

  get isFailing(): boolean {
    return this.#failing.size > 0 || this.#unsyncable.size > 0
  }

  /** What the disk will have once all that was asked is done. */
  view(): Uint8Array {
    const view = this.#now.get('data')!.slice()
    for (const { request } of this.#asked.get('data')!) {
      const written = writtenBy(request)
      if (written !== undefined) view.set(written.data, written.offset)
    }
    return view
  }

  crash(kind: Crash, chance: () => number): void {
    this.#failing.clear()
    this.#unsyncable.clear()
    for (const [file, asked] of this.#asked) {
      const [first] = asked.splice(0)
      // what was being done may be done in part
      const written = first && writtenBy(first.request)
      if (written !== undefined && chance() < 0.5) this.#tear(written, chance, this.#now.get(file)!)
      const unsynced = this.#unsynced.get(file)!.splice(0)
      const durable = this.#durable.get(file)!
      if (kind === 'process') durable.set(this.#now.get(file)!)
      else for (const one of unsynced) if (chance() < 0.6) this.#tear(one, chance, durable)
      this.#now.get(file)!.set(durable)
    }
  }

  #tear({ offset, data }: { offset: number; data: Uint8Array }, chance: () => number, into: Uint8Array) {
    const isTorn = chance() < 0.4
    for (let at = 0; at < data.length; ) {
      const end = Math.min(data.length, (Math.floor((offset + at) / sector) + 1) * sector - offset)
      if (!isTorn || chance() < 0.5) into.set(data.subarray(at, end), offset + at)
      at = end
    }
  }

  #do({ request, done, after }: Asked): void {
    const { file } = request
    const now = this.#now.get(file)!
    if (this.#failing.delete(file) || (request.kind === 'sync' && this.#unsyncable.has(file))) {
      if (request.kind === 'sync') this.#unsyncable.add(file)
      const error = Object.assign(new Error('no space left'), { code: 'ENOSPC' })
      done(error)
      return
    }
    if (request.kind === 'read') {
      done(undefined, now.slice(request.offset, request.offset + request.length))
      return
    }
    const written = writtenBy(request)
    if (written !== undefined) {
      now.set(written.data, written.offset)
      this.#unsynced.get(file)!.push({ ...written, place: after })
    } else {
      const unsynced = this.#unsynced.get(file)!
      const later = unsynced.findIndex(({ place }) => place >= after)
      const synced = unsynced.splice(0, later < 0 ? unsynced.length : later)
      for (const { offset, data } of synced) this.#durable.get(file)!.set(data, offset)
    }
    done(undefined)
  }
}

/** What a request writes. */
export function writtenBy(request: FileRequest): { offset: number; data: Uint8Array } | undefined {
  if (request.kind === 'write') return request
  return request.kind === 'zero' ? { offset: request.offset, data: new Uint8Array(request.length) } : undefined
}
