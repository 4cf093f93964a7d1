/** The numbers of the NBD protocol, by the names of its specification. */

export const serverMagic = 0x4e42_444d_4147_4943n
export const optionMagic = 0x4948_4156_454f_5054n
export const optionReplyMagic = 0x0003_e889_0455_65a9n
export const requestMagic = 0x2560_9513
export const simpleReplyMagic = 0x6744_6698
export const structuredReplyMagic = 0x668e_33ef

/** Names and descriptions have so many bytes at most. */
export const exportNameMax = 4096

export const handshakeFlag = { fixedNewstyle: 1, noZeroes: 2 } as const

export const exportFlag = {
  hasFlags: 1,
  readOnly: 2,
  sendFlush: 4,
  sendFua: 8,
  rotational: 16,
  sendTrim: 32,
  sendWriteZeroes: 64,
  sendDf: 128,
  canMultiConn: 256,
  sendFastZero: 2048,
} as const

export const option = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const

export const reply = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: 0x8000_0001,
  policy: 0x8000_0002,
  invalid: 0x8000_0003,
  platform: 0x8000_0004,
  tlsRequired: 0x8000_0005,
  unknown: 0x8000_0006,
  shutdown: 0x8000_0007,
  blockSizeRequired: 0x8000_0008,
  tooBig: 0x8000_0009,
} as const

export const info = { export: 0, name: 1, description: 2, blockSize: 3 } as const

export const command = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, writeZeroes: 6, blockStatus: 7 } as const

export const commandFlag = { fua: 1, noHole: 2, df: 4, reqOne: 8, fastZero: 16 } as const

export const chunkType = { none: 0, data: 1, hole: 2, blockStatus: 5, error: 0x8001, errorOffset: 0x8002 } as const
export const chunkDone = 1

/** The one metadata context that is served, and the number that it has on a connection. */
export const allocationContext = 'base:allocation'
export const allocationContextId = 1
export const extentFlag = { hole: 1, zero: 2 } as const

/** The error numbers that a reply may have. */
export const errorNumber = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const

/** Other system errors as the nearest that the protocol has. */
const nearest: Readonly<Record<string, string>> = {
  EACCES: 'EPERM',
  EROFS: 'EPERM',
  EDQUOT: 'ENOSPC',
  EFBIG: 'ENOSPC',
  EOPNOTSUPP: 'ENOTSUP',
}

const numbers = new Map<string, number>(Object.entries(errorNumber))

export function errorNumberOf(error: unknown): number {
  const code = String((error as { code?: unknown } | undefined)?.code)
  return numbers.get(nearest[code] ?? code) ?? errorNumber.EIO
}

const codes = new Map<number, string>(Object.entries(errorNumber).map(([code, number]) => [number, code]))
/** Unknown numbers count as EINVAL, as the specification has it. */
export const errorCodeOf = (number: number): string => codes.get(number) ?? 'EINVAL'
