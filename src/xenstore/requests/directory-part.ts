import type { Buffer } from 'node:buffer'
import { decodeText } from '../../byte-text.js'
import { Malformed } from '../malformed.js'
import { quoted, texts } from '../reply.js'
import type { RequestKind } from '../request-kind.js'

/** Some of a node's children. */
export interface DirectoryPart {
  /** Another one in the next part: the node has changed, and offsets into its children mean nothing any more. */
  generation: string
  names: string[]
  /** How many bytes of the list these were. */
  length: number
  last: boolean
}

export const directoryPart = {
  operation: 'DIRECTORY_PART',
  path: path => path,
  fields: (path, offset) => [path, String(offset)],
  decode,
} satisfies RequestKind<[path: string, offset: number], DirectoryPart>

function decode(payload: Buffer): DirectoryPart {
  const end = payload.indexOf(0)
  const generation = end === -1 ? '' : decodeText(payload.subarray(0, end))
  const list = payload.subarray(end + 1)
  // the end of the whole list is an empty name
  const last = list.at(-1) === 0 && (list.length === 1 || list.at(-2) === 0)
  const part = last ? list.subarray(0, -1) : list
  if (!/^[0-9]{1,20}$/.test(generation) || (part.length === 0 && !last) || (part.length > 0 && part.at(-1) !== 0)) {
    throw new Malformed(`no part of a list of children: ${quoted(payload)}`)
  }
  return { generation, names: texts(part), length: part.length, last }
}
