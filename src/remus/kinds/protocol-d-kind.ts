import { checkFunction, checkObject } from '../../check-argument.js'
import type { CheckpointDevice, CheckpointKind, StepOptions } from '../../checkpoint/checkpoint-kind.js'
import { nbdTargetOf } from '../../libxl/nbd-target.js'
import type { ResolvedDisk } from '../../libxl/resolved-disk.js'
import { codeOf } from '../../libxl/system-error.js'
import type { Limits } from '../../link/limits.js'
import { printable } from '../../printable.js'
import { RemusError } from '../remus-error.js'
import { pause } from '../session/pause.js'

/** A node of a replicated disk, as a checkpoint needs it: `DiskControl` of `xenlight/protocol-d`. */
export interface CheckpointControl {
  status(limits?: Limits): Promise<{ role: string; connection: string; why: string }>
  setCheckpointing(isOn: boolean, limits?: Limits): Promise<void>
  checkpoint(limits?: Limits): Promise<{ isAwaited: boolean; checkpoint: number }>
  waitForAck(limits?: Limits): Promise<void>
  close(): Promise<void>
}

export interface ProtocolDKindOptions {
  /** Connects to the node whose NBD socket that is; undefined for a socket of something else. */
  connect(socket: string, options: StepOptions): Promise<CheckpointControl | undefined>
}

/** How long a teardown waits for the peer before the node goes on alone, in milliseconds. */
const lastCheckpoint = 5000
/** How long a teardown asks a node that is busy, and how often, in milliseconds. */
const busyAtMost = 10_000
const busyInterval = 20

/**
 * Disks that a node of protocol D serves in user space, for `setUpCheckpoints`: `target=nbd+unix:///NAME?socket=PATH`. The steps are those of
 * DRBD's ioctls, over the node's control socket.
 */
export function protocolDKind(given: ProtocolDKindOptions): CheckpointKind<ResolvedDisk> {
  checkObject('options', given)
  checkFunction('connect', given.connect)
  return {
    name: 'protocol-d',
    async match(disk, options) {
      const socket = nbdTargetOf(disk)?.socket
      if (socket === undefined) return { mismatch: 'it is not at an NBD socket' }
      const control = await given.connect(socket, options)
      if (control === undefined) return { mismatch: `no node of protocol D is at ${printable(socket)}` }
      return { device: checkpointsOf(control) }
    },
  }
}

function checkpointsOf(control: CheckpointControl): CheckpointDevice {
  let isOn = false
  let isAckAwaited = false
  return {
    async setup(options) {
      const { role, connection, why } = await control.status(options)
      if (role !== 'primary') throw new RemusError('not-ready', 'the node is Secondary: promote it first')
      if (connection !== 'equal') {
        const reason = why === '' ? '' : ` (${printable(why)})`
        throw new RemusError('not-ready', `the node's peer does not hold the same data: it is ${connection}${reason}`)
      }
      isOn = true
      await control.setCheckpointing(true, options)
    },
    async postsuspend(options) {
      if (isAckAwaited) return
      const sent = await control.checkpoint(options)
      isAckAwaited = sent.isAwaited
    },
    async preresume(options) {
      if (!isAckAwaited) return
      await control.waitForAck(options)
      isAckAwaited = false
    },
    async commit() {},
    /**
     * Where the guest goes on, the pair goes on without checkpoints, and a node whose peer is gone goes on alone. Where the guest may be
     * lost, checkpointing stays on: the peer is to have the last checkpoint, and nothing after it.
     */
    async teardown({ signal, goesOn }) {
      try {
        if (!isOn || !goesOn) return
        isOn = false
        // one that was broken off here may be under way there; where the peer is lost, no acknowledgement comes
        await control.waitForAck({ signal, timeout: lastCheckpoint }).catch(() => {})
        await switchOff(control, signal)
      } finally {
        await control.close()
      }
    },
  }
}

/** Asks again while the node is busy with a change that was broken off here; and where its peer is lost in that, as it goes on alone then. */
async function switchOff(control: CheckpointControl, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + busyAtMost; ; await pause(busyInterval, signal)) {
    try {
      await control.setCheckpointing(false, { signal, timeout: busyAtMost })
      return
    } catch (error) {
      const mayBeLater = ['busy', 'peer-lost'].includes(codeOf(error) ?? '')
      if (!mayBeLater || signal.aborted || performance.now() > end) throw error
    }
  }
}
