import { requestError } from './request-error.js'
import type { RequestKind } from './request-kind.js'
import { directory } from './requests/directory.js'
import { directoryPart } from './requests/directory-part.js'
import type { RequestOptions } from './xenstore.js'
import { XenstoreError } from './xenstore-error.js'

/** How often a list that changes while it is read is begun anew. */
const restarts = 100

export type Perform = <Parameters extends readonly unknown[], Reply>(
  kind: RequestKind<Parameters, Reply>,
  parameters: Parameters,
  options: RequestOptions | undefined,
) => Promise<Reply>

/** The children of a node; in parts where they are too many for one packet. */
export async function readDirectory(perform: Perform, path: string, options?: RequestOptions): Promise<string[]> {
  let tooMany: XenstoreError
  try {
    return await perform(directory, [path], options)
  } catch (error) {
    if (!(error instanceof XenstoreError && error.code === 'E2BIG' && error.cause === undefined)) throw error
    tooMany = error
  }
  try {
    return await readParts(perform, path, options)
  } catch (error) {
    if (error instanceof XenstoreError && error.code === 'ENOSYS') throw tooMany
    throw error
  }
}

async function readParts(perform: Perform, path: string, options?: RequestOptions): Promise<string[]> {
  for (let attempt = 0; attempt <= restarts; attempt++) {
    const names = await readOnce(perform, path, options)
    if (names !== undefined) return names
  }
  throw requestError('DIRECTORY_PART', path, 'EAGAIN', `its children changed ${restarts} times while they were read`)
}

/** Undefined where the node changed meanwhile. */
async function readOnce(perform: Perform, path: string, options?: RequestOptions): Promise<string[] | undefined> {
  const names: string[] = []
  let generation: string | undefined
  for (let offset = 0; ; ) {
    const part = await perform(directoryPart, [path, offset], options)
    if (generation !== undefined && part.generation !== generation) return undefined
    generation = part.generation
    for (const name of part.names) names.push(name)
    offset += part.length
    if (part.last) return names
  }
}
