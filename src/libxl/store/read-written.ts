import type { RequestOptions, Xenstore } from '../../xenstore/xenstore.js'
import type { DevicePaths } from '../device-paths.js'
import { codeOf } from '../system-error.js'

/** A device as a toolstack wrote it. */
export interface WrittenDevice {
  /** The nodes in libxl's own directory, to which only the toolstack writes. */
  own: ReadonlyMap<string, string>
  /** The backend's "online"; undefined where its directory is gone. */
  online: string | undefined
  /** What the guest is shown of how far it may trust the backend. */
  trusted: string | undefined
}

/** More nodes than any device has: somebody's rubbish is not read into memory without end. */
const mostNodes = 100

/** Reads a device as it stands at one moment; undefined where there is none. */
export async function readWritten(
  store: Xenstore,
  { libxl, backend, frontend }: DevicePaths,
  request?: RequestOptions,
): Promise<WrittenDevice | undefined> {
  const { value } = await store.transaction(async nodes => {
    const names = await nodes.directory(libxl).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (names === undefined) return undefined
    const read = names.slice(0, mostNodes)
    const [online, ...values] = await Promise.all([
      nodes.readIfPresent(`${backend}/online`),
      ...read.map(name => nodes.readIfPresent(`${libxl}/${name}`)),
    ])
    const own = new Map(read.flatMap((name, index) => (values[index] === undefined ? [] : [[name, values[index]]])))
    return { own, online }
  }, request)
  if (value === undefined) return undefined
  // the guest writes there: in the transaction its writing could keep it from ever ending
  return { ...value, trusted: await store.readIfPresent(`${frontend}/trusted`, request) }
}
