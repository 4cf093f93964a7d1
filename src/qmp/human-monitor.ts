import { checkMethods, checkText } from '../check-argument.js'
import { printable } from '../printable.js'
import { type QmpCommand, takes } from './command.js'
import type { Qmp, QmpRequestOptions } from './qmp.js'
import { QmpError } from './qmp-error.js'
import { UnexpectedReply } from './reply.js'

const humanMonitorCommand = {
  name: 'human-monitor-command',
  takes: takes<{ 'command-line': string }>(),
  reply: value => {
    if (typeof value !== 'string') throw new UnexpectedReply('its text is no string')
    return value
  },
} satisfies QmpCommand

/**
 * Has the human monitor do what QMP has no command for; only for those of its commands that print nothing when they succeed,
 * such as `drive_add` with `-n`, `drive_del`. The line is one for people: whoever puts a value into it has to quote it.
 *
 * @throws QmpError monitor-text where it printed anything, which is how these commands fail
 */
export async function humanMonitor(qmp: Qmp, line: string, options?: QmpRequestOptions): Promise<void> {
  checkMethods('qmp', qmp, ['run'], 'a QMP connection')
  checkText('line', line)
  const text = (await qmp.run(humanMonitorCommand, { 'command-line': line }, options)).trim()
  if (text === '') return
  const [name = ''] = line.split(' ', 1)
  throw new QmpError('monitor-text', `QEMU's human monitor refuses ${printable(name)}: ${printable(text)}`, {
    command: 'human-monitor-command',
    description: text,
  })
}
