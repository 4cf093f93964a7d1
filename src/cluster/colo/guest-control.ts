import { ControlClient } from '../../control/control-client.js'
import type { Duplex } from '../../link/duplex.js'
import type { Limits } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import type { CheckpointTaken, GuestStatus } from './guest-commands.js'

/** The longest reply, in bytes. */
const replyAtMost = 64 * 1024

/** A node of a guest that another process runs, over its control socket. Every call may fail with LinkError, or an Error that says why not. */
export class GuestControl implements AsyncDisposable {
  readonly #client: ControlClient

  constructor(duplex: Duplex, where: string) {
    const errorOf = (code: string, message: string) => new LinkError(code, message)
    this.#client = new ControlClient(duplex, { who: 'the guest', where, replyAtMost, errorOf })
  }

  async status(limits?: Limits): Promise<GuestStatus> {
    return (await this.#client.ask('status', {}, limits)) as GuestStatus
  }

  async promote(number: number, force: boolean, limits: { timeout: number }): Promise<void> {
    await this.#client.ask('promote', { number, force, ...limits }, limits)
  }

  async demote(limits: { timeout: number }): Promise<void> {
    await this.#client.ask('demote', { ...limits }, limits)
  }

  /** Resolves when all that the guest had written is kept, whichever node goes on. */
  async checkpoint(limits: { timeout: number }): Promise<CheckpointTaken> {
    return (await this.#client.ask('checkpoint', { ...limits }, limits)) as CheckpointTaken
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client.close()
  }
}
