import { checkFlag, checkFunction, checkObject } from '../../check-argument.js'
import type { CheckpointDevice, CheckpointKind } from '../../checkpoint/checkpoint-kind.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import type { ProbeResult } from '../drbd/probe-result.js'
import { RemusError } from '../remus-error.js'
import { type DrbdDevice, type OpenDrbdDevice, sendCheckpoint, waitCheckpointAck } from './drbd-device.js'
import { drbdTarget } from './drbd-path.js'

export interface DrbdKindOptions {
  probe: (target: string, options: { signal: AbortSignal }) => Promise<ProbeResult>
  open: OpenDrbdDevice
  /** As libxl: a failed probe is a mismatch, an error of SEND counts as "ack awaited", what WAIT says is ignored. */
  libxlExact?: boolean | undefined
}

/** Disks on DRBD's protocol D, for `setUpCheckpoints` (libxl's `drbd` kind): `/dev/drbdN`, `script=block-drbd`, `drbd:RES`. */
export function drbdKind(given: DrbdKindOptions): CheckpointKind<ResolvedDisk> {
  checkObject('options', given)
  checkFunction('probe', given.probe)
  checkFunction('open', given.open)
  checkFlag('libxlExact', given.libxlExact)
  const { probe, open, libxlExact = false } = given
  return {
    name: 'drbd',
    async match(disk, options) {
      const target = drbdTarget(disk)
      if (target === undefined) return { mismatch: 'it is not on DRBD' }
      if (!libxlExact)
        return { device: drbdCheckpoints(async setup => deviceOf(await probe(target, setup)), open, false) }
      const found = await probe(target, options)
      if (found.outcome !== 'ready') return { mismatch: 'block-drbd-probe does not take it' }
      return { device: drbdCheckpoints(async () => deviceOf(found), open, true) }
    },
  }
}

function deviceOf({ outcome, device, why, hint }: ProbeResult): string {
  if (outcome === 'ready' && device !== undefined) return device
  throw new RemusError('not-ready', `${outcome}: ${why} (${hint})`)
}

function drbdCheckpoints(
  find: (options: { signal: AbortSignal }) => Promise<string>,
  open: OpenDrbdDevice,
  libxlExact: boolean,
): CheckpointDevice {
  let device: DrbdDevice | undefined
  let isAckAwaited = false
  return {
    async setup(options) {
      const path = await find(options)
      device = await open(path, options)
    },
    async postsuspend(options) {
      if (isAckAwaited) return
      const answer = await device!.ioctl(sendCheckpoint, options)
      if ('error' in answer && !libxlExact) throw refusal('SEND_CHECKPOINT', answer.error)
      isAckAwaited = !('result' in answer && answer.result > 0)
    },
    async preresume(options) {
      if (!isAckAwaited) return
      const answer = await device!.ioctl(waitCheckpointAck, options)
      if ('error' in answer && !libxlExact) throw refusal('WAIT_CHECKPOINT_ACK', answer.error)
      isAckAwaited = false
    },
    async commit() {},
    async teardown() {
      const open = device
      device = undefined
      await open?.close()
    },
  }
}

const meanings: Readonly<Record<string, string>> = {
  EINVAL: 'the resource does not use protocol D',
  EPROTO: 'the peer is gone, or its disk is below Consistent',
  ENOTTY: 'the device has no checkpoints: it is not a DRBD device, or its DRBD is not patched for Remus',
  ENOMEM: 'the kernel has no memory left',
}

const refusal = (name: string, error: string): RemusError =>
  new RemusError('checkpoint-failed', `${name} failed with ${error}: ${meanings[error] ?? 'see the kernel log'}`)
