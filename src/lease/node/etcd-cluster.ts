import { canceled } from '../canceled.js'
import type { Gateway, GatewayOptions, GatewayPath } from '../etcd/gateway.js'
import type { LeaseClock } from '../lease-clock.js'
import { isLeaseError, LeaseError } from '../lease-error.js'
import { pause } from '../pause.js'
import type { EtcdMember } from './etcd-member.js'

/** How long to wait when no member has answered, before all are asked again, in milliseconds. */
const roundPause = 100

export interface EtcdClusterOptions {
  clock: LeaseClock
  /** How long one member may take, and all of them, in milliseconds. */
  tryTimeout: number
  timeout: number
}

/** A cluster: whoever answered last is asked first. A member that is dead, frozen or without a leader costs one try. */
export class EtcdCluster implements Gateway {
  readonly #members: readonly EtcdMember[]
  readonly #options: EtcdClusterOptions
  /** Which one is asked first. */
  #current = 0

  constructor(members: readonly EtcdMember[], options: EtcdClusterOptions) {
    this.#members = members
    this.#options = options
  }

  async ask(path: GatewayPath, body: object, { signal }: GatewayOptions = {}): Promise<unknown> {
    const { clock, tryTimeout, timeout } = this.#options
    const end = clock.uptime() + timeout
    const problems = new Map<EtcdMember, string>()
    for (;;) {
      for (const _ of this.#members) {
        if (signal?.aborted) throw canceled(signal)
        const asked = this.#current
        const member = this.#members[asked]!
        const left = end - clock.uptime()
        if (left <= 0) throw this.#unreachable(path, problems)
        try {
          return await member.ask(path, body, { signal, timeout: Math.min(tryTimeout, left) })
        } catch (error) {
          if (!isLeaseError(error, 'unreachable', 'protocol')) throw error
          problems.set(member, error.message)
          this.#leave(asked)
        }
      }
      await pause(clock, Math.min(roundPause, Math.max(0, end - clock.uptime())), signal)
    }
  }

  async *watch(body: object, { signal }: GatewayOptions = {}): AsyncGenerator<unknown, undefined> {
    const asked = this.#current
    try {
      yield* this.#members[asked]!.stream('watch', body, { signal, timeout: this.#options.tryTimeout })
    } catch (error) {
      if (!isLeaseError(error, 'unreachable', 'protocol')) throw error
      this.#leave(asked)
      throw new LeaseError('unreachable', error.message, { cause: error })
    }
  }

  close(): void {
    for (const member of this.#members) member.close()
  }

  /** Asks the next one first, unless another request has found that out. */
  #leave(asked: number): void {
    if (this.#current === asked) this.#current = (asked + 1) % this.#members.length
  }

  #unreachable(path: string, problems: ReadonlyMap<EtcdMember, string>): LeaseError {
    const all = [...problems.values()].join('; ')
    return new LeaseError('unreachable', `no member of etcd answers to ${path}${all === '' ? '' : `: ${all}`}`)
  }
}
