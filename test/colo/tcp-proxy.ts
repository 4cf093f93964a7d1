import { connect, createServer, type Socket } from 'node:net'

/** A link that a test can cut, and that can stop carrying anything. */
export interface TcpProxy extends Disposable {
  port: number
  /** Ends all connections. */
  cut(): void
  /** Carries nothing, and says nothing of it. */
  stall(): void
  resume(): void
}

/** @param options `port`: its own, any by default; `delay`: of each piece that it carries, in milliseconds */
export async function tcpProxy(
  host: string,
  target: { host: string; port: number },
  { port = 0, delay = 0 }: { port?: number; delay?: number } = {},
): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isStalled = false
  const server = createServer(near => {
    const far = connect(target)
    const pair = [near, far] as const
    pairs.add(pair)
    const end = () => {
      near.destroy()
      far.destroy()
      pairs.delete(pair)
    }
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('data', bytes => {
        if (delay === 0) to.write(bytes)
        else setTimeout(() => to.write(bytes), delay)
      })
      from.on('error', end).on('close', end)
    }
    if (isStalled) for (const socket of pair) socket.pause()
  })
  await new Promise<void>(resolve => server.listen(port, host, resolve))
  const all = () => [...pairs].flat()
  const cut = () => {
    for (const socket of all()) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    cut,
    stall() {
      isStalled = true
      for (const socket of all()) socket.pause()
    },
    resume() {
      isStalled = false
      for (const socket of all()) socket.resume()
    },
    [Symbol.dispose]() {
      cut()
      server.close()
    },
  }
}
