import type { Limits } from '../link/limits.js'
import { printable } from '../printable.js'
import type { Qmp } from '../qmp/qmp.js'
import { ColoError } from './colo-error.js'
import { type DiskRecord, formatRecord, parseRecord } from './records/disk-record.js'
import type { RecordStore } from './records/record-store.js'

/** One side of a pair: how its QEMU is reached, and where its records are. */
export interface Side {
  qmp: Qmp
  /**
   * A second connection (QEMU serves one client a monitor): what has to pass a command that blocks goes here. Without it the first
   * one is used, which passes as long as not more than eight commands wait.
   */
  urgent?: Qmp | undefined
  records: RecordStore
}

/** What is recorded of an image; `problem` says why nothing can be read. */
export interface ReadRecord {
  record?: DiskRecord | undefined
  problem?: string | undefined
}

export async function readRecord({ records }: Side, disk: string, image: string): Promise<ReadRecord> {
  let text: string | undefined
  try {
    text = await records.read(image)
  } catch (error) {
    return { problem: (error as Error).message }
  }
  if (text === undefined) return {}
  if (typeof text !== 'string') return { problem: 'its record is no text' }
  const record = parseRecord(text)
  if (record === undefined) return { problem: 'its record is damaged' }
  if (record.disk !== disk) return { problem: `its record is of another disk, ${printable(record.disk)}` }
  return { record }
}

/**
 * Writes a record before what it says is done.
 *
 * @throws ColoError record, and nothing is to be done then
 */
export async function writeRecord(
  { records }: Side,
  image: string,
  record: Omit<DiskRecord, 'at'>,
  { signal }: Limits = {},
): Promise<void> {
  signal?.throwIfAborted()
  try {
    await records.write(image, formatRecord({ ...record, at: new Date().toISOString() }))
  } catch (error) {
    if (error instanceof ColoError) throw error
    const why = `the record of ${printable(record.disk)} cannot be written: ${(error as Error).message}`
    throw new ColoError('record', why, { disk: record.disk, cause: error })
  }
}
