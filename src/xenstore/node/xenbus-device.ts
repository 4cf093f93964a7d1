import { Buffer } from 'node:buffer'
import { close, open, read, write, writeSync } from 'node:fs'
import type { Duplex, DuplexReader } from '../duplex.js'
import { errorReply, type Operation, operations, watchEvent } from '../operation.js'
import { encodeHeader, encodePacket, headerSize, type Packet, payloadMax, wordAt } from '../packet.js'
import { OversizedPacket, PacketReader } from '../packet-reader.js'

/** Opens a guest's way to the daemon. Fails with the system's error. */
export function openXenbusDevice(path: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    open(path, 'r+', (error, fd) => {
      if (error) reject(error)
      else resolve(new XenbusDevice(fd))
    })
  })
}

/**
 * /dev/xen/xenbus, through which the kernel passes packets on. A read waits in one of the threads that Node has for files
 * (four, if not $UV_THREADPOOL_SIZE) for as long as the connection lasts; a write takes one packet.
 */
export class XenbusDevice implements Duplex {
  /**
   * Linux has one buffer for each open file and sends a request from there after the write has returned: the next one would
   * overwrite it (seen on Linux 6.1: writes acknowledged and never made).
   */
  readonly mostInFlight = 1
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(4 * payloadMax)
  readonly #packets: Uint8Array[] = []
  #reader: DuplexReader | undefined
  #reading = false
  #writing = false
  /** What is written next belongs to the request that is awaited. */
  #continuing = false
  readonly #answers = new PacketReader()
  /** The request whose answer will come, which ends the read that waits. */
  #awaiting: Uint8Array | undefined
  /** Told to, and done. */
  #closing = false
  #closed = false

  constructor(fd: number) {
    this.#fd = fd
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
    addStarted(this)
    this.#read()
  }

  refusal(operation: Operation, packet: Uint8Array): { code: string; why: string } | undefined {
    if (operation === 'RESET_WATCHES') {
      return { code: 'EPERM', why: 'the kernel shares this connection, and its own watches would go too' }
    }
    if (packet.length > payloadMax) {
      const longest = payloadMax - headerSize
      return {
        code: 'E2BIG',
        why: `${packet.length - headerSize} bytes: the kernel takes at most ${longest} with the path`,
      }
    }
    return undefined
  }

  write(packet: Uint8Array): void {
    if (this.#closing) return
    this.#packets.push(packet)
    if (!this.#writing) this.#writeNext()
  }

  close(): void {
    this.#end()
  }

  #read(): void {
    this.#reading = true
    read(this.#fd, this.#buffer, 0, this.#buffer.length, null, (error, size) => {
      this.#reading = false
      if (this.#closing) this.#closeFile()
      else if (isForNow(error)) setTimeout(() => this.#readAgain(), 1)
      else if (error !== null || size === 0) this.#end(error ?? undefined)
      else {
        this.#take(this.#buffer.subarray(0, size))
        this.#readAgain()
      }
    })
  }

  #take(bytes: Uint8Array): void {
    try {
      this.#answers.push(bytes, packet => this.#pass(packet))
    } catch (error) {
      if (!(error instanceof OversizedPacket)) throw error
      // the connection says what is wrong with that
      this.#reader?.data(encodeHeader(errorReply, error.requestId, 0, error.length))
    }
  }

  #pass(packet: Packet): void {
    const { type } = packet
    if (type === watchEvent) {
      this.#reader?.data(encodePacket(packet))
      return
    }
    const request = this.#awaiting
    this.#awaiting = undefined
    // the kernel answers these itself, older ones without the request's number
    const isNumberless = packet.requestId === 0 && isWatching(type) && request !== undefined && typeOf(request) === type
    const requestId = isNumberless ? idOf(request) : packet.requestId
    this.#reader?.data(encodePacket({ ...packet, requestId }))
  }

  #readAgain(): void {
    if (this.#closing) this.#closeFile()
    else this.#read()
  }

  #writeNext(): void {
    const packet = this.#packets.shift()
    this.#writing = packet !== undefined
    if (packet === undefined) {
      this.#closeFile()
      return
    }
    // now, as the answer may be read before the write calls back
    if (!this.#continuing) this.#awaiting = packet
    this.#continuing = false
    write(this.#fd, packet, 0, packet.length, null, (error, size) => {
      if (isForNow(error)) {
        this.#continueWith(packet)
        setTimeout(() => this.#writeNext(), 1)
      } else if (error !== null && isRefusal(this.#awaiting, error)) {
        this.#refused(this.#awaiting!, error)
        this.#writeNext()
      } else if (error !== null) {
        this.#writing = false
        this.#awaiting = undefined
        if (!this.#closing) this.#end(error)
        else this.#closeFile()
      } else {
        if (size < packet.length) this.#continueWith(packet.subarray(size))
        this.#writeNext()
      }
    })
  }

  /** The rest of a packet, or all of it again. */
  #continueWith(rest: Uint8Array): void {
    this.#packets.unshift(rest)
    this.#continuing = true
  }

  #refused(request: Uint8Array, error: NodeJS.ErrnoException): void {
    if (!this.#closing) this.#pass(refusalOf(request, error))
    else if (this.#reading) this.#packets.push(wakingRequest)
    this.#awaiting = undefined
  }

  /** Tells the reader at once; a read that waits may take its time, and for ever if the daemon is dead. */
  #end(cause?: Error): void {
    if (!this.#closing) {
      this.#closing = true
      process.nextTick(() => this.#reader?.end(cause))
      // what is written in part, or again after EAGAIN, has to be written whole
      if (!this.#writing) this.#packets.length = 0
      if (this.#reading && this.#awaiting === undefined) this.#packets.push(wakingRequest)
      if (!this.#writing) this.#writeNext()
    }
    this.#closeFile()
  }

  /** Ends the read that waits, at the last moment. */
  wake(): void {
    // a watch whose write is under way may be refused, and then no answer comes
    const isSure = this.#awaiting !== undefined && !(this.#writing && isWatching(typeOf(this.#awaiting)))
    if (!this.#reading || isSure) return
    try {
      writeSync(this.#fd, wakingRequest)
    } catch {
      // without a daemon nothing helps
    }
  }

  /** Once nothing is under way, as the number of a closed file may be another file's at any time. */
  #closeFile(): void {
    if (!this.#closing || this.#closed || this.#reading || this.#writing) return
    this.#closed = true
    deleteStarted(this)
    close(this.#fd, () => {})
  }
}

const typeOf = (packet: Uint8Array): number => wordAt(Buffer.from(packet), 0)
const idOf = (packet: Uint8Array): number => wordAt(Buffer.from(packet), 4)

/** The requests that the kernel makes its own of, and answers itself. */
const isWatching = (type: number): boolean => type === operations.WATCH || type === operations.UNWATCH

/** The kernel says by the error of the write that the daemon refused a watch; of other errors the file is broken. */
const isRefusal = (request: Uint8Array | undefined, { code }: NodeJS.ErrnoException): boolean =>
  request !== undefined &&
  isWatching(typeOf(request)) &&
  code !== undefined &&
  /^E[A-Z0-9]+$/.test(code) &&
  !ofTheFile.has(code)
const ofTheFile = new Set(['EBADF', 'EPIPE', 'ENODEV', 'ENXIO', 'EFAULT'])

/** What the daemon answered. */
const refusalOf = (packet: Uint8Array, { code }: NodeJS.ErrnoException): Packet => ({
  type: errorReply,
  requestId: idOf(packet),
  transactionId: 0,
  payload: Buffer.from(`${code}\0`),
})

/** Any answer ends the read that waits for one; without it the thread would not come back. */
const wakingRequest = encodePacket({
  type: operations.GET_DOMAIN_PATH,
  requestId: 0,
  transactionId: 0,
  payload: Buffer.from('0\0'),
})

/** Those that read. Node waits for its threads when it exits, so a read that waits has to be woken then as well. */
const started = new Set<XenbusDevice>()

function wakeAll(): void {
  for (const device of started) device.wake()
}

function addStarted(device: XenbusDevice): void {
  if (started.size === 0) process.once('exit', wakeAll)
  started.add(device)
}

function deleteStarted(device: XenbusDevice): void {
  started.delete(device)
  if (started.size === 0) process.off('exit', wakeAll)
}

const isForNow = (error: NodeJS.ErrnoException | null): boolean => error?.code === 'EAGAIN' || error?.code === 'EINTR'
