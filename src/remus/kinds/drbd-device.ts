import type { StepOptions } from '../../checkpoint/checkpoint-kind.js'

/** The ioctls of DRBD's protocol D, of the patch for Remus. */
export const sendCheckpoint = 20
export const waitCheckpointAck = 30

/** A DRBD device that is open. */
export interface DrbdDevice {
  /** ioctl(device, request, 0): its result, or the name of its error: `{ error: 'EPROTO' }`. */
  ioctl(request: number, options: StepOptions): Promise<{ result: number } | { error: string }>
  /** Gives it up, also while an ioctl blocks: that one then ends in the kernel, or with it. */
  close(): Promise<void>
}

/** Opens a device for reading. @throws RemusError */
export type OpenDrbdDevice = (path: string, options: StepOptions) => Promise<DrbdDevice>
