import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Starts the machine anew, as a reset button does; one that stands still stays so. */
export const systemReset = { name: 'system_reset', takes: takes(), reply: nothing } satisfies QmpCommand
