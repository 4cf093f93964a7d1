import { Buffer } from 'node:buffer'
import type { Duplex } from '../../link/duplex.js'
import { NbdError } from '../nbd-error.js'
import {
  allocationContext,
  exportNameMax,
  handshakeFlag,
  option,
  optionMagic,
  reply,
  serverMagic,
} from '../protocol.js'
import type { ClientConnection } from './client-connection.js'
import { protocolError } from './client-replies.js'
import {
  contextRequest,
  type ExportInfo,
  infoRequest,
  type OptionReply,
  optionRequest,
  readInfo,
  readListed,
  readOptionHeader,
  readSize,
  refusalError,
} from './options.js'

/** A list longer than this is no list. */
const listedAtMost = 10_000
/** So many replies has one option at most, but for LIST. */
const repliesAtMost = 64

export interface NegotiateOptions {
  exportName: string
  secure?: (() => Promise<Duplex>) | undefined
}

/** Everything up to the first request. @throws NbdError */
export async function chooseExport(connection: ClientConnection, options: NegotiateOptions): Promise<ExportInfo> {
  checkName(options.exportName)
  const noZeroes = await begin(connection, options)
  await agreeOnReplies(connection, options.exportName)
  const found = await askInfo(connection, option.go, options.exportName)
  if (found !== undefined) {
    connection.transmit()
    return found
  }
  // a server that has no GO: what was agreed on before counts
  connection.write(optionRequest(option.exportName, Buffer.from(options.exportName)))
  const bytes = await connection.take(noZeroes ? 10 : 134)
  connection.transmit()
  return readSize(bytes)
}

/** The farewell of a client that was refused. */
export const abort = (): Buffer => optionRequest(option.abort)

/** What the server says of an export, which is not opened. @throws NbdError */
export async function inquireExport(connection: ClientConnection, options: NegotiateOptions): Promise<ExportInfo> {
  checkName(options.exportName)
  await begin(connection, options)
  const found = await askInfo(connection, option.info, options.exportName)
  if (found === undefined) throw new NbdError('refused', 'INFO: the server does not know this option')
  connection.write(optionRequest(option.abort))
  return found
}

/** The names of all exports that the server tells of. @throws NbdError */
export async function inquireNames(connection: ClientConnection, options: NegotiateOptions): Promise<string[]> {
  await begin(connection, options)
  connection.write(optionRequest(option.list))
  const names: string[] = []
  for (;;) {
    const answer = await optionAnswer(connection, option.list)
    if (answer.type === reply.ack) break
    if (answer.type !== reply.server) throw refusalOrGarbage('LIST', answer)
    if (names.length === listedAtMost) throw protocolError(`a list of more than ${listedAtMost} exports`)
    names.push(readListed(answer.data))
  }
  connection.write(optionRequest(option.abort))
  return names
}

/** Flags, and TLS. @returns whether the answer to EXPORT_NAME has no zeroes behind it */
async function begin(connection: ClientConnection, { secure }: NegotiateOptions): Promise<boolean> {
  const greeting = await connection.take(18)
  if (greeting.readBigUInt64BE(0) !== serverMagic) throw protocolError('the greeting is another')
  if (greeting.readBigUInt64BE(8) !== optionMagic) throw protocolError('an old server, which knows no options')
  const flags = greeting.readUInt16BE(16)
  if ((flags & handshakeFlag.fixedNewstyle) === 0) throw protocolError('a server without fixed newstyle')
  const agreed = Buffer.alloc(4)
  agreed.writeUInt32BE(flags & (handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes))
  connection.write(agreed)
  if (secure !== undefined) {
    connection.write(optionRequest(option.startTls))
    const answer = await optionAnswer(connection, option.startTls)
    if (answer.type !== reply.ack) throw new NbdError('no-tls', refusalOrGarbage('STARTTLS', answer).message)
    await connection.secure(secure)
  }
  return (flags & handshakeFlag.noZeroes) !== 0
}

async function agreeOnReplies(connection: ClientConnection, name: string): Promise<void> {
  connection.write(optionRequest(option.structuredReply))
  const answer = await optionAnswer(connection, option.structuredReply)
  connection.structured = answer.type === reply.ack
  if (!connection.structured) {
    if (answer.type === reply.tlsRequired) throw refusalError('STRUCTURED_REPLY', answer)
    return
  }
  connection.write(optionRequest(option.setMetaContext, contextRequest(name)))
  for (;;) {
    const { type, data } = await optionAnswer(connection, option.setMetaContext)
    // refused: there is none
    if (type !== reply.metaContext) return
    if (connection.contextId !== undefined || data.length < 4 || data.toString('utf8', 4) !== allocationContext)
      throw protocolError('a context that was not asked for')
    connection.contextId = data.readUInt32BE(0)
  }
}

/** @returns undefined where the server does not know the option */
async function askInfo(connection: ClientConnection, kind: number, name: string): Promise<ExportInfo | undefined> {
  connection.write(optionRequest(kind, infoRequest(name)))
  const found: Partial<ExportInfo> = {}
  for (let count = 0; count < repliesAtMost; count++) {
    const answer = await optionAnswer(connection, kind)
    if (answer.type === reply.info) readInfo(answer.data, found)
    else if (answer.type === reply.unsupported) return undefined
    else if (answer.type !== reply.ack) throw refusalOrGarbage(`export ${JSON.stringify(name)}`, answer)
    else if (found.size === undefined) throw protocolError('an export without a size')
    else return found as ExportInfo
  }
  throw protocolError(`more than ${repliesAtMost} replies to one option`)
}

async function optionAnswer(connection: ClientConnection, kind: number): Promise<OptionReply> {
  const { option, type, length } = readOptionHeader(await connection.take(20))
  if (option !== kind) throw protocolError(`an answer to option ${option} where ${kind} was asked`)
  return { option, type, data: await connection.take(length) }
}

const refusalOrGarbage = (what: string, answer: OptionReply): NbdError =>
  answer.type >= 0x8000_0000 ? refusalError(what, answer) : protocolError(`${what}: an answer of type ${answer.type}`)

function checkName(name: string): void {
  if (Buffer.byteLength(name) > exportNameMax || name.includes('\0'))
    throw new NbdError('EINVAL', `the name of an export has at most ${exportNameMax} bytes and no NUL`)
}
