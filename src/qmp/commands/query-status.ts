import { type QmpCommand, takes } from '../command.js'
import { flag, object, text } from '../reply.js'

/** Whether the guest runs, and the state's name: running, paused, prelaunch, colo, io-error … */
export const queryStatus = {
  name: 'query-status',
  takes: takes(),
  reply: value => {
    const status = object(value, 'the status')
    return { running: flag(status, 'running'), status: text(status, 'status') }
  },
} satisfies QmpCommand
