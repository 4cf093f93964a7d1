import { FifoLock } from '../../link/fifo-lock.js'
import { printable } from '../../printable.js'
import { ReplicationError } from '../replication-error.js'

/** What is done with the disks of a group in QEMU, one thing after the other. */
export class GroupLock {
  readonly #group: string
  readonly #lock = new FifoLock()

  constructor(group: string) {
    this.#group = group
  }

  /** Does some work when nobody else does. @throws ReplicationError qemu for what QEMU did not do */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#lock.hold(work)
    } catch (error) {
      if (error instanceof ReplicationError) throw error
      const what = `QEMU failed with the disks of ${printable(this.#group)}`
      throw new ReplicationError('qemu', `${what}: ${(error as Error).message}`, { cause: error })
    }
  }
}
