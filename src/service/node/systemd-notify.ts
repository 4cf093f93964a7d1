/** Where distributions have the program. */
const places = ['/usr/bin', '/bin', '/run/current-system/sw/bin'].map(folder => `${folder}/systemd-notify`)
/** How long one message may take, in milliseconds: the program itself waits five seconds for the manager. */
const longest = 10_000

/** The program's path; undefined where there is none. */
export function findSystemdNotify(): string | undefined {
  const { accessSync, constants } = process.getBuiltinModule('node:fs')
  return places.find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/**
 * Sends assignments to a manager's socket, by a child: Node has no datagrams of unix sockets. The child ends when the manager has read
 * them, so that it still knows of which service they are.
 *
 * @param socket as NOTIFY_SOCKET has it
 * @throws Error where the program cannot be started, or fails
 */
export function systemdNotify(program: string, socket: string, assignments: readonly string[]): Promise<void> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  return new Promise((resolve, reject) => {
    const child = spawn(program, assignments, {
      cwd: '/',
      env: { NOTIFY_SOCKET: socket },
      stdio: 'ignore',
      timeout: longest,
      killSignal: 'SIGKILL',
    })
    child.once('error', reject)
    child.once('exit', (status, signal) => {
      if (status === 0) resolve()
      else reject(new Error(`systemd-notify failed (${status ?? signal})`))
    })
  })
}
