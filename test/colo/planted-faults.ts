import type { Side } from 'xenlight/colo'
import type { Qmp, QmpArguments, QmpEvents } from 'xenlight/qmp'

/** Changes what a command is sent with, or what it says: a fault that the runner has to find. */
export interface Planted {
  args?: (command: string, args: QmpArguments | undefined) => QmpArguments | undefined
  reply?: (command: string, reply: unknown) => unknown
  /** Commands that are not sent, and said to have succeeded. */
  skips?: readonly string[]
  hears?: false
}

export const plantedFaults = {
  'a take-over without failover: true': {
    args: (command, args) => {
      if (command !== 'xen-set-replication') return args
      const { failover: _, ...rest } = args ?? {}
      return rest
    },
  },
  'success replies are trusted': {
    reply: (command, reply) => (command === 'query-xen-replication-status' ? { error: false } : reply),
    hears: false,
  },
  'what was written since a checkpoint is not marked': { skips: ['block-dirty-bitmap-merge'] },
} satisfies Record<string, Planted>

/** A side whose QEMU is spoken to so. */
export function planted(side: Side, { args, reply, skips = [], hears }: Planted): Side {
  const { qmp } = side
  const run = async (command: { name: string }, given: QmpArguments | undefined, options: object | undefined) => {
    if (skips.includes(command.name)) return undefined
    const sent = args?.(command.name, given) ?? given
    const said = await (qmp.run as (...all: unknown[]) => Promise<unknown>)(command, sent, options)
    return reply?.(command.name, said) ?? said
  }
  const deaf = (): QmpEvents => qmp.events({ names: ['none'] })
  return {
    ...side,
    qmp: new Proxy(qmp, {
      get(target, name) {
        if (name === 'run') return run
        if (name === 'events' && hears === false) return deaf
        const value = Reflect.get(target, name, target) as unknown
        return typeof value === 'function' ? value.bind(target) : value
      },
    }) as Qmp,
  }
}
