import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const headerSize = 16
const transactionEnd = 7

/** A socket in front of a store's, on which commits or their answers can be held back. */
export interface SlowWire {
  path: string
  /** From the next commit on: 'answers' holds what the store says, 'requests' the commit and what follows it. */
  holdAtCommit(what: 'answers' | 'requests'): void
  /** Resolves when the commit was seen. */
  held: Promise<void>
  release(): void
}

export async function slowWire(t: Test, to: string): Promise<SlowWire> {
  const folder = mkdtempSync(join(tmpdir(), 'xenlight-'))
  const path = join(folder, 'socket')
  let wanted: 'answers' | 'requests' | undefined
  let holding: typeof wanted
  let seen!: () => void
  let waiting: (() => void)[] = []
  const pass = (bytes: Buffer, socket: Socket, what: 'answers' | 'requests') => {
    const copy = Buffer.from(bytes)
    if (holding === what) waiting.push(() => socket.write(copy))
    else socket.write(copy)
  }
  const server = createServer(client => {
    const daemon = connect(to)
    let rest: Buffer = Buffer.alloc(0)
    client.on('data', bytes => {
      rest = Buffer.concat([rest, bytes])
      while (rest.length >= headerSize && rest.length >= headerSize + rest.readUInt32LE(12)) {
        const size = headerSize + rest.readUInt32LE(12)
        const packet = rest.subarray(0, size)
        rest = rest.subarray(size)
        if (packet.readUInt32LE(0) === transactionEnd && wanted !== undefined) {
          holding = wanted
          wanted = undefined
          seen()
        }
        pass(packet, daemon, 'requests')
      }
    })
    daemon.on('data', bytes => pass(bytes, client, 'answers'))
    for (const [one, other] of [
      [client, daemon],
      [daemon, client],
    ] as const) {
      one.on('error', () => {})
      one.once('close', () => other.destroy())
    }
  })
  await new Promise<void>(resolve => server.listen(path, resolve))
  t.teardown(() => {
    server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const wire: SlowWire = {
    path,
    held: Promise.resolve(),
    holdAtCommit(what) {
      wanted = what
      wire.held = new Promise(resolve => {
        seen = resolve
      })
    },
    release() {
      holding = undefined
      for (const send of waiting.splice(0)) send()
      waiting = []
    },
  }
  return wire
}
