import type { Folder, OpenFile } from '#xenlight/replication/folder.js'
import type { Random } from '../support/random.js'

/** What is done to a folder or a file of it. */
export type FolderOperation = 'write' | 'truncate' | 'create' | 'rename' | 'remove' | 'sync' | 'syncFolder'

type Change = { kind: 'write'; offset: number; data: Uint8Array } | { kind: 'truncate'; size: number }

const sectorSize = 512

/** A file's content: as its readers see it, as it surely is on the disk, and what changed between both. */
class Inode {
  content = new Uint8Array(0)
  durable = new Uint8Array(0)
  changes: Change[] = []
  /** How many changes were made durable and are not in the list any more. */
  settled = 0

  do(change: Change): void {
    this.content = changed(this.content, change)
    this.changes.push(change)
  }
}

function changed(content: Uint8Array, change: Change): Uint8Array<ArrayBuffer> {
  const size = change.kind === 'truncate' ? change.size : Math.max(content.length, change.offset + change.data.length)
  // room to grow, so that appending stays cheap
  const isRoom = change.kind === 'write' && content.byteOffset === 0 && content.buffer.byteLength >= size
  const next = isRoom
    ? new Uint8Array(content.buffer as ArrayBuffer, 0, size)
    : new Uint8Array(new ArrayBuffer(change.kind === 'write' ? size * 2 : size), 0, size)
  if (!isRoom) next.set(content.subarray(0, size))
  if (change.kind === 'write') next.set(change.data, change.offset)
  return next
}

type NameChange =
  | { kind: 'set'; name: string; inode: Inode | MemoryDirectory }
  | { kind: 'remove'; name: string }
  | { kind: 'rename'; from: string; to: string; inode: Inode | MemoryDirectory }

class MemoryDirectory {
  names = new Map<string, Inode | MemoryDirectory>()
  durable = new Map<string, Inode | MemoryDirectory>()
  changes: NameChange[] = []
  settled = 0

  do(change: NameChange): void {
    apply(this.names, change)
    this.changes.push(change)
  }
}

function apply(names: Map<string, Inode | MemoryDirectory>, change: NameChange): void {
  if (change.kind === 'set') names.set(change.name, change.inode)
  else if (change.kind === 'remove') names.delete(change.name)
  else {
    names.delete(change.from)
    names.set(change.to, change.inode)
  }
}

/** Changes up to that one are durable. */
function settle(of: { changes: unknown[]; settled: number }, through: number): void {
  const count = Math.max(0, through - of.settled)
  of.changes.splice(0, count)
  of.settled += count
}

const systemError = (code: string): Error => Object.assign(new Error(`${code}: played`), { code })

/** A disk of folders in memory, which loses at a crash what was not synced. */
export class MemoryDisk {
  readonly root: MemoryDirectory
  /** Called before each operation; may throw the error that it fails with. Of a sync that is when it ends. */
  before: (operation: FolderOperation, name: string) => void = () => {}
  /** How long a sync takes. */
  syncDelay: () => Promise<void> = () => new Promise(resolve => setImmediate(resolve))
  /** How many bytes its files may have together. */
  room = Number.POSITIVE_INFINITY

  constructor(root = new MemoryDirectory()) {
    this.root = root
  }

  get folder(): Folder {
    return new MemoryFolder(this, this.root)
  }

  /** How many bytes its files have together. */
  get used(): number {
    return sizeOf(this.root)
  }

  /** The disk as a crash may leave it: of what was not synced some is there and some is not, a write maybe in part. */
  crashed(random: Random): MemoryDisk {
    return new MemoryDisk(crashedDirectory(this.root, random, new Map()))
  }

  /** The disk as another process sees it when this one was killed. */
  copied(): MemoryDisk {
    return new MemoryDisk(copiedDirectory(this.root, new Map()))
  }
}

function sizeOf(directory: MemoryDirectory): number {
  let size = 0
  for (const entry of directory.names.values()) size += entry instanceof Inode ? entry.content.length : sizeOf(entry)
  return size
}

type Copies = Map<Inode | MemoryDirectory, Inode | MemoryDirectory>

function crashedDirectory(directory: MemoryDirectory, random: Random, copies: Copies): MemoryDirectory {
  const names = new Map(directory.durable)
  const likely = random.pick([0, 0.5, 0.9, 1])
  for (const change of directory.changes) if (random.chance(likely)) apply(names, change)
  return withNames(
    names,
    entry => {
      if (entry instanceof MemoryDirectory) return crashedDirectory(entry, random, copies)
      return stored(crashedContent(entry, random))
    },
    copies,
  )
}

function copiedDirectory(directory: MemoryDirectory, copies: Copies): MemoryDirectory {
  return withNames(
    directory.names,
    entry => (entry instanceof MemoryDirectory ? copiedDirectory(entry, copies) : stored(entry.content)),
    copies,
  )
}

function withNames(
  names: Map<string, Inode | MemoryDirectory>,
  copy: (entry: Inode | MemoryDirectory) => Inode | MemoryDirectory,
  copies: Copies,
): MemoryDirectory {
  const result = new MemoryDirectory()
  for (const [name, entry] of names) {
    const known = copies.get(entry) ?? copy(entry)
    copies.set(entry, known)
    result.names.set(name, known)
    result.durable.set(name, known)
  }
  return result
}

function stored(content: Uint8Array): Inode {
  const inode = new Inode()
  inode.content = new Uint8Array(content)
  inode.durable = new Uint8Array(content)
  return inode
}

function crashedContent({ durable, changes }: Inode, random: Random): Uint8Array {
  let content: Uint8Array = new Uint8Array(durable)
  const likely = random.pick([0, 0.5, 0.9, 1])
  const torn = random.chance(0.5) ? random.int(changes.length + 1) : -1
  for (const [index, change] of changes.entries()) {
    if (index === torn && change.kind === 'write') {
      // each sector is there or not, or the first ones are
      const first = random.chance(0.5) ? random.int(change.data.length) : undefined
      for (let at = 0; at < change.data.length; ) {
        const end = Math.min(change.data.length, at + sectorSize - ((change.offset + at) % sectorSize))
        if (first === undefined ? random.chance(0.5) : at < first)
          content = changed(content, { kind: 'write', offset: change.offset + at, data: change.data.subarray(at, end) })
        at = end
      }
    } else if (random.chance(likely)) content = changed(content, change)
  }
  return content
}

class MemoryFolder implements Folder {
  readonly #disk: MemoryDisk
  readonly #directory: MemoryDirectory

  constructor(disk: MemoryDisk, directory: MemoryDirectory) {
    this.#disk = disk
    this.#directory = directory
  }

  list(): readonly string[] {
    return [...this.#directory.names].flatMap(([name, entry]) => (entry instanceof Inode ? name : []))
  }

  folders(): readonly string[] {
    return [...this.#directory.names].flatMap(([name, entry]) => (entry instanceof MemoryDirectory ? name : []))
  }

  folder(name: string): Folder {
    const known = this.#directory.names.get(name)
    if (known instanceof Inode) throw systemError('ENOTDIR')
    if (known !== undefined) return new MemoryFolder(this.#disk, known)
    this.#disk.before('create', name)
    const directory = new MemoryDirectory()
    this.#directory.do({ kind: 'set', name, inode: directory })
    return new MemoryFolder(this.#disk, directory)
  }

  open(name: string, how: 'read' | 'write' | 'create'): OpenFile {
    const known = this.#directory.names.get(name)
    if (known instanceof MemoryDirectory) throw systemError('EISDIR')
    if (how !== 'create') {
      if (known === undefined) throw systemError('ENOENT')
      return new MemoryFile(this.#disk, known, name, how)
    }
    if (known !== undefined) throw systemError('EEXIST')
    this.#disk.before('create', name)
    const inode = new Inode()
    this.#directory.do({ kind: 'set', name, inode })
    return new MemoryFile(this.#disk, inode, name, how)
  }

  rename(from: string, to: string): void {
    const inode = this.#directory.names.get(from)
    if (inode === undefined) throw systemError('ENOENT')
    this.#disk.before('rename', to)
    this.#directory.do({ kind: 'rename', from, to, inode })
  }

  remove(name: string): void {
    if (!this.#directory.names.has(name)) throw systemError('ENOENT')
    this.#disk.before('remove', name)
    this.#directory.do({ kind: 'remove', name })
  }

  async sync(): Promise<void> {
    const directory = this.#directory
    const names = new Map(directory.names)
    const through = directory.settled + directory.changes.length
    await this.#disk.syncDelay()
    this.#disk.before('syncFolder', '')
    if (through > directory.settled) directory.durable = names
    settle(directory, through)
  }
}

class MemoryFile implements OpenFile {
  readonly #disk: MemoryDisk
  readonly #inode: Inode
  readonly #name: string
  readonly #how: string
  #isOpen = true
  #failed: Error | undefined

  constructor(disk: MemoryDisk, inode: Inode, name: string, how: string) {
    this.#disk = disk
    this.#inode = inode
    this.#name = name
    this.#how = how
  }

  get size(): number {
    this.#check()
    return this.#inode.content.length
  }

  readInto(offset: number, target: Uint8Array): number {
    this.#check()
    const part = this.#inode.content.subarray(offset, offset + target.length)
    target.set(part)
    return part.length
  }

  write(offset: number, data: Uint8Array): void {
    this.#check('write')
    this.#disk.before('write', this.#name)
    const growth = Math.max(0, offset + data.length - this.#inode.content.length)
    if (growth > 0 && this.#disk.room !== Number.POSITIVE_INFINITY) {
      const left = this.#disk.room - this.#disk.used
      if (growth > left) {
        // a disk that runs full takes the first part
        const taken = data.length - growth + Math.max(0, left)
        if (taken > 0) this.#inode.do({ kind: 'write', offset, data: new Uint8Array(data.subarray(0, taken)) })
        throw systemError('ENOSPC')
      }
    }
    this.#inode.do({ kind: 'write', offset, data: new Uint8Array(data) })
  }

  truncate(size: number): void {
    this.#check('write')
    this.#disk.before('truncate', this.#name)
    this.#inode.do({ kind: 'truncate', size })
  }

  async sync(): Promise<void> {
    this.#check()
    const inode = this.#inode
    const content = new Uint8Array(inode.content)
    const through = inode.settled + inode.changes.length
    await this.#disk.syncDelay()
    if (this.#failed !== undefined) throw this.#failed
    try {
      this.#disk.before('sync', this.#name)
    } catch (error) {
      this.#failed = error as Error
      throw error
    }
    if (through > inode.settled) inode.durable = content
    settle(inode, through)
  }

  close(): void {
    this.#isOpen = false
  }

  #check(why?: 'write'): void {
    if (!this.#isOpen || (why === 'write' && this.#how === 'read')) throw systemError('EBADF')
  }
}
