import { LeaseError } from '../lease-error.js'

/** That a member answered with an error which another one would give too. */
export class EtcdRefusal extends LeaseError {
  override readonly name = 'LeaseError'
  /** gRPC's number of it. */
  readonly status: number

  constructor(status: number, message: string) {
    super('refused', message)
    this.status = status
  }
}

/** gRPC's NOT_FOUND: there is no such lease. */
export const isNotFound = (error: unknown): boolean => error instanceof EtcdRefusal && error.status === 5
