import { type ConnectedSide, connectSide } from '../colo/node/connect-side.js'
import type { RecordStore } from '../colo/records/record-store.js'
import type { Side } from '../colo/side.js'
import type { Qmp } from '../qmp/qmp.js'
import { QmpError } from '../qmp/qmp-error.js'
import type { SidePair } from './read-value.js'

interface SideOptions {
  records: RecordStore
  timeout: number
  signal?: AbortSignal | undefined
}

/** A side that was asked for: connected, or not to be reached, and why. */
export interface OpenSide extends AsyncDisposable {
  side: Side
  error: Error | undefined
}

/** Connects to a side. @throws QmpError that says which */
export async function openSide(
  name: 'primary' | 'secondary',
  pair: SidePair,
  options: SideOptions,
): Promise<ConnectedSide> {
  try {
    return await connect(pair, options)
  } catch (error) {
    if (!(error instanceof QmpError)) throw error
    throw new QmpError(error.code, `the ${name}: ${error.message}`, { cause: error })
  }
}

/** Connects to a side that may be dead: what is asked of it then fails, and says why. */
export async function reachSide(pair: SidePair, options: SideOptions): Promise<OpenSide> {
  try {
    const side = await connect(pair, options)
    return { side, error: undefined, [Symbol.asyncDispose]: () => side[Symbol.asyncDispose]() }
  } catch (error) {
    if (!(error instanceof QmpError) || options.signal?.aborted) throw error
    return { side: silentSide(options.records, error), error, async [Symbol.asyncDispose]() {} }
  }
}

async function connect({ qmp, urgent }: SidePair, { records, timeout, signal }: SideOptions): Promise<ConnectedSide> {
  try {
    return await connectSide({ qmp, urgent, records }, { timeout, signal })
  } catch (error) {
    if (!(error instanceof QmpError) || error.code !== 'ETIMEDOUT') throw error
    const hint = 'does another client hold this monitor? It serves one at a time'
    throw new QmpError(error.code, `${error.message}: ${hint}`, { cause: error })
  }
}

/** Looking at a side needs `run` alone. */
function silentSide(records: RecordStore, error: QmpError): Side {
  const fail = () => Promise.reject(error)
  const events = () => {
    throw error
  }
  const qmp: Pick<Qmp, 'run' | 'runOutOfBand' | 'outOfBand' | 'events'> = {
    run: fail,
    runOutOfBand: fail,
    outOfBand: false,
    events,
  }
  return { qmp: qmp as Qmp, records }
}
