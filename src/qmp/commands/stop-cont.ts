import { type QmpCommand, takes } from '../command.js'
import { nothing } from '../reply.js'

/** Stops the guest's processors; what they have in flight to disks is finished first. */
export const stop = { name: 'stop', takes: takes(), reply: nothing } satisfies QmpCommand

/** Lets the guest run. */
export const cont = { name: 'cont', takes: takes(), reply: nothing } satisfies QmpCommand
