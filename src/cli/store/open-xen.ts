import { nodeHost } from '../../libxl/store/node-host.js'
import { connect } from '../../xenstore/node/connect.js'
import type { RunningXen } from '../io.js'

/** Connects to the daemon of this machine. */
export async function openXen(): Promise<RunningXen> {
  const store = await connect()
  const controller = new AbortController()
  const interrupt = () => controller.abort(new Error('interrupted'))
  for (const signal of signals) process.once(signal, interrupt)
  return {
    store,
    host: nodeHost(),
    interrupted: controller.signal,
    async [Symbol.asyncDispose]() {
      for (const signal of signals) process.off(signal, interrupt)
      await store.close()
    },
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
