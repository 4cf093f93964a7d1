import { Buffer } from 'node:buffer'
import { close, open, read, write, writeSync } from 'node:fs'
import type { Duplex, DuplexReader } from '../duplex.js'
import { type Operation, operations, watchEvent } from '../operation.js'
import { encodePacket, headerSize, payloadMax } from '../packet.js'
import { PacketReader } from '../packet-reader.js'

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
  readonly #answers = new PacketReader()
  /** An answer will come, which ends the read that waits. */
  #awaiting = false
  /** Told to, and done. */
  #closing = false
  #closed = false

  constructor(fd: number) {
    this.#fd = fd
  }

  start(reader: DuplexReader): void {
    this.#reader = reader
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
    reading.add(this)
    read(this.#fd, this.#buffer, 0, this.#buffer.length, null, (error, size) => {
      this.#reading = false
      reading.delete(this)
      if (this.#closing) this.#closeFile()
      else if (isForNow(error)) setTimeout(() => this.#readAgain(), 1)
      else if (error !== null || size === 0) this.#end(error ?? undefined)
      else {
        const bytes = this.#buffer.subarray(0, size)
        this.#countAnswers(bytes)
        this.#reader?.data(bytes)
        this.#readAgain()
      }
    })
  }

  #countAnswers(bytes: Uint8Array): void {
    try {
      this.#answers.push(bytes, ({ type }) => {
        if (type !== watchEvent) this.#awaiting = false
      })
    } catch {
      // the connection, which gets the same bytes, says what is wrong with them
    }
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
    this.#awaiting = true
    write(this.#fd, packet, 0, packet.length, null, (error, size) => {
      if (isForNow(error)) {
        this.#packets.unshift(packet)
        setTimeout(() => this.#writeNext(), 1)
      } else if (error !== null) {
        this.#writing = false
        this.#awaiting = false
        if (!this.#closing) this.#end(error)
        else this.#closeFile()
      } else {
        if (size < packet.length) this.#packets.unshift(packet.subarray(size))
        this.#writeNext()
      }
    })
  }

  /** Tells the reader at once; a read that waits may take its time, and for ever if the daemon is dead. */
  #end(cause?: Error): void {
    if (!this.#closing) {
      this.#closing = true
      process.nextTick(() => this.#reader?.end(cause))
      // what is written in part, or again after EAGAIN, has to be written whole
      if (!this.#writing) this.#packets.length = 0
      if (this.#reading && !this.#awaiting) this.#packets.push(wakingRequest)
      if (!this.#writing) this.#writeNext()
    }
    this.#closeFile()
  }

  /** Ends the read that waits, at the last moment. */
  wake(): void {
    if (this.#awaiting) return
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
    close(this.#fd, () => {})
  }
}

/** Any answer ends the read that waits for one; without it the thread would not come back. */
const wakingRequest = encodePacket({
  type: operations.GET_DOMAIN_PATH,
  requestId: 0,
  transactionId: 0,
  payload: Buffer.from('0\0'),
})

/** Those whose read waits. Node waits for its threads when it exits, so these have to be woken then as well. */
const reading = new Set<XenbusDevice>()

process.once('exit', () => {
  for (const device of reading) device.wake()
})

const isForNow = (error: NodeJS.ErrnoException | null): boolean => error?.code === 'EAGAIN' || error?.code === 'EINTR'
