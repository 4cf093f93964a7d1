import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Waits until somebody listens at a unix socket. */
export async function untilListening(path: string): Promise<void> {
  while (!(await listens(path))) await delay(20)
}

const listens = (path: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
