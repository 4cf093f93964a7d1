import { Buffer } from 'node:buffer'
import { flagsOf, type NbdExport, sizesOf } from '../nbd-export.js'
import { allocationContext, allocationContextId, info, optionReplyMagic, reply } from '../protocol.js'

/** A reply to an option. */
export function optionReply(option: number, type: number, data: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(data as string)
  const bytes = Buffer.allocUnsafe(20 + body.length)
  bytes.writeBigUInt64BE(optionReplyMagic, 0)
  bytes.writeUInt32BE(option, 8)
  bytes.writeUInt32BE(type, 12)
  bytes.writeUInt32BE(body.length, 16)
  bytes.set(body, 20)
  return bytes
}

/** A name in the answer to LIST. */
export function serverReply(option: number, name: string): Buffer {
  const bytes = Buffer.from(name)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return optionReply(option, reply.server, Buffer.concat([length, bytes]))
}

/** What a client hears of an export: always its size and block sizes, its name and description where it asked for them. */
export function infoReplies(
  option: number,
  shown: NbdExport,
  wanted: readonly number[],
  structured: boolean,
): Buffer[] {
  const replies = [infoReply(option, info.export, exportInfo(shown, structured)), blockSizeReply(option, shown)]
  if (wanted.includes(info.name)) replies.push(infoReply(option, info.name, Buffer.from(shown.name)))
  if (wanted.includes(info.description) && shown.description !== undefined)
    replies.push(infoReply(option, info.description, Buffer.from(shown.description)))
  return replies
}

/** Size and flags: also the answer to EXPORT_NAME. */
export function exportInfo(shown: NbdExport, structured: boolean): Buffer {
  const bytes = Buffer.alloc(10)
  bytes.writeBigUInt64BE(BigInt(shown.backend.size), 0)
  bytes.writeUInt16BE(flagsOf(shown, structured), 8)
  return bytes
}

/** base:allocation, under its number where it was selected. */
export function contextReply(option: number, isSelected: boolean): Buffer {
  const id = Buffer.alloc(4)
  id.writeUInt32BE(isSelected ? allocationContextId : 0)
  return optionReply(option, reply.metaContext, Buffer.concat([id, Buffer.from(allocationContext)]))
}

function infoReply(option: number, kind: number, data: Buffer): Buffer {
  const type = Buffer.alloc(2)
  type.writeUInt16BE(kind)
  return optionReply(option, reply.info, Buffer.concat([type, data]))
}

export function blockSizeReply(option: number, shown: NbdExport): Buffer {
  const { minimum, preferred, maximum } = sizesOf(shown)
  const bytes = Buffer.alloc(12)
  bytes.writeUInt32BE(minimum, 0)
  bytes.writeUInt32BE(preferred, 4)
  bytes.writeUInt32BE(maximum, 8)
  return infoReply(option, info.blockSize, bytes)
}
