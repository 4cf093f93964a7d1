import { LeaseError } from 'xenlight/lease'
import type { Gateway } from '#xenlight/lease/etcd/gateway.js'
import type { Random } from '../../support/random.js'
import type { ModelEtcd } from './model-etcd.js'
import type { ModelProcess, World } from './world.js'

/** How bad the network is. */
export interface Network {
  /** How long a message may take, in milliseconds. */
  slowest: number
  /** How many messages are lost, and how many requests are done twice, of 1. */
  lost: number
  twice: number
  /** How long a request may take, in milliseconds of the process. */
  timeout: number
}

/** A process's way to etcd. Requests and answers take their time, get lost, and are done twice, the second time perhaps much later. */
export function modelGateway(
  { etcd, world, process, random }: { etcd: ModelEtcd; world: World; process: ModelProcess; random: Random },
  { slowest, lost, twice, timeout }: Network,
): Gateway {
  const delay = () => (random.chance(0.8) ? random.int(30) : random.int(slowest + 1))
  return {
    ask: (path, body, { signal } = {}) =>
      new Promise((settle, fail) => {
        const over = () => signal?.removeEventListener('abort', cancel)
        const resolve = (reply: unknown) => {
          over()
          settle(reply)
        }
        const reject = (error: unknown) => {
          over()
          fail(error)
        }
        const cancel = () => reject(new LeaseError('canceled', 'its signal was aborted'))
        if (signal?.aborted) return cancel()
        signal?.addEventListener('abort', cancel, { once: true })
        process.clock.after(timeout, () => reject(new LeaseError('unreachable', 'nobody answers')))
        const arrives = () => {
          let answer: () => void
          try {
            const reply = structuredClone(etcd.ask(path, body))
            answer = () => resolve(reply)
          } catch (error) {
            answer = () => reject(error)
          }
          if (!random.chance(lost)) process.later(delay(), answer)
        }
        if (!random.chance(lost)) world.later(delay(), arrives)
        if (random.chance(twice)) world.later(random.int(slowest * 4 + 1), arrives)
      }),
    async *watch(body, { signal } = {}) {
      const { create_request: request } = body as { create_request: { start_revision: string } }
      let next = Number(request.start_revision)
      for (;;) {
        await new Promise<void>(resolve => process.later(100 + delay(), resolve))
        if (signal?.aborted) throw new LeaseError('canceled', 'its signal was aborted')
        if (random.chance(lost / 4)) throw new LeaseError('unreachable', 'the stream is cut')
        const said = etcd.since(next, body)
        if (said === undefined) continue
        next = said.next
        yield structuredClone(said.reply)
      }
    },
  }
}
