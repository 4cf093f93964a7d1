import { checkObject } from '../../check-argument.js'
import type { SocketAddress } from '../../link/node/socket-address.js'
import { checkMonitorAddress, connectQmp } from '../../qmp/node/connect-qmp.js'
import type { Qmp } from '../../qmp/qmp.js'
import { checkLimited } from '../arguments/check-limits.js'
import { checkRecords } from '../arguments/check-side.js'
import type { RecordStore } from '../records/record-store.js'
import type { Side } from '../side.js'

export interface SideAddress {
  /** The QEMU's monitor. */
  qmp: SocketAddress
  /** A second monitor of it, for what has to pass a command that blocks. */
  urgent?: SocketAddress | undefined
  records: RecordStore
}

/** A side, and what ends its connections. */
export interface ConnectedSide extends Side, AsyncDisposable {}

/** Connects to a side's QEMU. @throws QmpError */
export async function connectSide(
  where: SideAddress,
  options: { signal?: AbortSignal | undefined; timeout?: number | undefined } = {},
): Promise<ConnectedSide> {
  checkObject('where', where)
  const { qmp: address, urgent: second, records } = where
  checkMonitorAddress('qmp', address)
  if (second !== undefined) checkMonitorAddress('urgent', second)
  checkRecords('records', records)
  checkLimited(options)
  const qmp = await connectQmp(address, options)
  let urgent: Qmp | undefined
  try {
    urgent = second && (await connectQmp(second, options))
  } catch (error) {
    await qmp.close()
    throw error
  }
  return {
    qmp,
    urgent,
    records,
    async [Symbol.asyncDispose]() {
      await Promise.all([qmp.close(), urgent?.close()])
    },
  }
}
