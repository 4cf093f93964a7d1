import { nodeHost } from '../../libxl/store/node-host.js'
import { connect } from '../../xenstore/node/connect.js'
import type { RunningXen } from '../io.js'

/**
 * Connects to the daemon of this machine. A process that a signal interrupts meanwhile ends by that signal, but only when
 * this is disposed of: what was begun is undone before.
 */
export async function openXen(): Promise<RunningXen> {
  const store = await connect()
  const controller = new AbortController()
  let interruptedBy: NodeJS.Signals | undefined
  const interrupt = (signal: NodeJS.Signals) => {
    interruptedBy = signal
    controller.abort(new Error('interrupted'))
  }
  for (const signal of signals) process.once(signal, interrupt)
  return {
    store,
    host: nodeHost(),
    interrupted: controller.signal,
    async [Symbol.asyncDispose]() {
      for (const signal of signals) process.off(signal, interrupt)
      await store.close()
      if (interruptedBy !== undefined) process.kill(process.pid, interruptedBy)
    },
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
