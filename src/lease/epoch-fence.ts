import { checkInteger } from '../check-argument.js'
import { LeaseError } from './lease-error.js'

/**
 * The resource's side of a lease: refuses those who held it before. Whoever keeps the resource keeps `highest` with it, as durably, and before
 * anything that is done under that epoch.
 */
export class EpochFence {
  #highest: number

  /** @param highest what was kept */
  constructor(highest = 0) {
    checkInteger('highest', highest, 0, Number.MAX_SAFE_INTEGER)
    this.#highest = highest
  }

  get highest(): number {
    return this.#highest
  }

  /** Lets an epoch in, and none below it from now on. @returns whether it is a new one, which is to be kept @throws LeaseError fenced */
  admit(epoch: number): boolean {
    checkInteger('epoch', epoch, 1, Number.MAX_SAFE_INTEGER)
    if (epoch < this.#highest) throw new LeaseError('fenced', `epoch ${epoch} is over: ${this.#highest} has been here`)
    const isNew = epoch > this.#highest
    this.#highest = epoch
    return isNew
  }
}
