import type { Qmp } from 'xenlight/qmp'

/** Does something around each command that a caller runs; it runs it, and returns what it comes to. */
export type Around = (command: string, run: () => Promise<unknown>) => Promise<unknown>

/** The same QEMU, with something done around each command that is run. */
export function aroundCommands(qmp: Qmp, around: Around): Qmp {
  const wrapped =
    (name: 'run' | 'runOutOfBand') =>
    (command: { name: string }, ...rest: unknown[]) =>
      around(command.name, () => (qmp[name] as (...args: unknown[]) => Promise<unknown>).call(qmp, command, ...rest))
  return new Proxy(qmp, {
    get: (target, name) => {
      if (name === 'run' || name === 'runOutOfBand') return wrapped(name)
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
