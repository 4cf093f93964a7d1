import { XenlightError } from '../xenlight-error.js'

export type ColoErrorCode = (typeof coloErrorCodes)[number]

/** Why a step of COLO's is refused, or did not come to what it should. */
export const coloErrorCodes = [
  /** There is no such disk in this QEMU, or it was not made for this side of COLO. */
  'not-a-colo-disk',
  /** Its state is not the one that the step begins with. */
  'wrong-state',
  /** The two sides' disks do not have the same size. */
  'size-differs',
  /** A guest runs on the side that is to follow: two would be active. */
  'split-brain',
  /** This epoch is over: a later one has begun. */
  'old-epoch',
  /** What the disk holds is unknown, outdated or inconsistent: it is not taken over without force. */
  'not-promotable',
  /** QEMU's NBD server runs already, and not with our exports: one QEMU has one server. */
  'server-in-use',
  /** All commands succeeded, but the block graph does not show what they should have made. */
  'not-proved',
  /** A replica missed something that the guest wrote: it holds the last checkpoint, and can take no other. */
  'degraded',
  /** The guest's own writes could not be written into the disk. */
  'failover-failed',
  /** An overlay cannot be made, or is one that may hold something. */
  'overlay',
  /** What must outlive a QEMU cannot be read or written: nothing was done. */
  'record',
  /** Which parts a dirty bitmap marks cannot be read. */
  'changes-unknown',
] as const

/** That a disk cannot be protected, or taken over. */
export class ColoError extends XenlightError {
  override readonly name = 'ColoError'
  readonly code: ColoErrorCode
  /** The disk that it is about, by its export's name; absent where it is about all. */
  readonly disk: string | undefined

  constructor(code: ColoErrorCode, message: string, { disk, cause }: { disk?: string; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.disk = disk
  }
}
