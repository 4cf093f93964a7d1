import { checkFlag, checkMethods, checkOptions, checkText, outOfRange } from '../../check-argument.js'
import { ControlClient } from '../../control/control-client.js'
import type { Duplex } from '../../link/duplex.js'
import { type Limits, longestTimeout } from '../../link/limits.js'
import { LinkError } from '../../link/link-error.js'
import type { CheckpointSent } from '../machine/checkpoints.js'
import type { PromoteOptions } from '../machine/roles.js'
import { isProtocolDErrorCode, ProtocolDError } from '../protocol-d-error.js'
import { type CommandName, type Commands, reasonAtMost } from './command.js'
import type { ServedStatus } from './served-status.js'

/** The longest reply, in bytes. */
const replyAtMost = 64 * 1024

/** A node that another process serves, over its control socket. Every call may fail with ProtocolDError or LinkError. */
export class DiskControl implements AsyncDisposable {
  readonly #client: ControlClient

  /** @param where the other end is, for messages; written as it is */
  constructor(duplex: Duplex, where?: string) {
    checkMethods('duplex', duplex, ['start', 'write', 'close'], 'a duplex')
    this.#client = new ControlClient(duplex, { who: 'the node', where, replyAtMost, errorOf })
  }

  status(limits?: Limits): Promise<ServedStatus> {
    return this.#ask('status', {}, limits)
  }

  /** See `ReplicatedDisk.checkpoint`. */
  checkpoint(limits?: Limits): Promise<CheckpointSent> {
    return this.#ask('checkpoint', {}, limits)
  }

  /** See `ReplicatedDisk.waitForAck`. Where the time is up, nothing is known of the checkpoint. */
  async waitForAck(limits?: Limits): Promise<void> {
    await this.#ask('wait', timed(limits), limits)
  }

  async setCheckpointing(isOn: boolean, limits?: Limits): Promise<void> {
    checkFlag('isOn', isOn)
    await this.#ask('checkpointing', { isOn }, limits)
  }

  async promote({ two = false, force = false, number }: PromoteOptions = {}, limits?: Limits): Promise<void> {
    const numbered = number === undefined ? {} : { number }
    await this.#ask('promote', { two, force, ...numbered, ...timed(limits) }, limits)
  }

  /** Under a lease: has the node promoted with what it has, once it has the lease. The reason is kept in the catalogue. */
  async forceLease(reason: string, limits?: Limits): Promise<void> {
    checkText('reason', reason)
    if (reason.trim() === '' || reason.length > reasonAtMost)
      throw outOfRange('reason', `1 to ${reasonAtMost} characters`, reason)
    await this.#ask('promote', { reason, ...timed(limits) }, limits)
  }

  /** `force` ends the connections of its NBD clients; without it, it is refused while there are any. */
  async demote(options: { force?: boolean } = {}, limits?: Limits): Promise<void> {
    checkOptions(options)
    await this.#ask('demote', { force: options.force === true, ...timed(limits) }, limits)
  }

  async discardOwnChanges(limits?: Limits): Promise<void> {
    await this.#ask('discard', {}, limits)
  }

  async disconnect(limits?: Limits): Promise<void> {
    await this.#ask('disconnect', {}, limits)
  }

  /** See `ReplicatedDisk.goOnAlone`. */
  async goOnAlone(limits?: Limits): Promise<void> {
    await this.#ask('goOnAlone', {}, limits)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask<Name extends CommandName>(
    execute: Name,
    needs: Commands[Name]['needs'],
    limits: Limits | undefined,
  ): Promise<Commands[Name]['gives']> {
    return (await this.#client.ask(execute, { ...needs }, limits)) as Commands[Name]['gives']
  }
}

/** The node gives up with the one who asks. */
const timed = ({ timeout }: Limits = {}) => (timeout === undefined || timeout > longestTimeout ? {} : { timeout })

const errorOf = (code: string, message: string): Error =>
  isProtocolDErrorCode(code) ? new ProtocolDError(code, message) : new LinkError(code, message)
