import { spawn } from 'node:child_process'
import { untilListening } from '../until-listening.js'

/** Serves a raw image by qemu-nbd, at a unix socket and under no name. */
export async function qemuNbd(socket: string, image: string): Promise<Disposable> {
  const command = ['qemu-nbd', '-f', 'raw', '-t', '-e', '8', '-k', socket, image]
  // the kernel ends it with the bench
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: 'ignore' })
  await untilListening(socket)
  return { [Symbol.dispose]: () => child.kill('SIGKILL') }
}
