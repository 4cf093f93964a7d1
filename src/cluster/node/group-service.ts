import { connectControl } from '../../replication/node/connect-control.js'
import type { OcfEnvironment } from '../ocf-environment.js'

/** How long a service may take to say how it is, in milliseconds. */
const lookTimeout = 5000

/** A service of a group, as its control socket answers. */
export class GroupService {
  readonly #who: 'the agent' | 'the hub'
  readonly #control: string
  readonly #group: string
  /** When the action has to be done, in milliseconds as `performance.now` counts: whoever asked is told before its own time is up. */
  readonly #end: number

  constructor(who: 'the agent' | 'the hub', control: string, { parameters, timeout }: OcfEnvironment) {
    const { group = '' } = parameters
    this.#who = who
    this.#control = control
    this.#group = group
    this.#end = performance.now() + timeout * 0.8
  }

  get group(): string {
    return this.#group
  }

  /** How much time is left, in milliseconds; 1 at least. */
  get left(): number {
    return Math.max(1, this.#end - performance.now())
  }

  /** @throws LinkError with the system's code where it is not there */
  look<Status>(execute: string): Promise<Status> {
    return this.#ask(execute, {}, Math.min(lookTimeout, this.left)) as Promise<Status>
  }

  /** Asks for something that is done with the group. @throws LinkError ETIMEDOUT where it is not done in time */
  ask(execute: string, given: Readonly<Record<string, unknown>> = {}, timeout = this.left): Promise<unknown> {
    return this.#ask(execute, { group: this.#group, ...given }, timeout)
  }

  async #ask(execute: string, given: Readonly<Record<string, unknown>>, timeout: number): Promise<unknown> {
    const client = await connectControl(this.#control, this.#who, { timeout })
    try {
      return await client.ask(execute, given, { timeout })
    } finally {
      await client.close()
    }
  }
}
