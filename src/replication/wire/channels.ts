import { channelsAtMost, type Message, type StreamMessage } from './message.js'
import { StreamWindow } from './stream-window.js'

type ChannelMessage =
  | StreamMessage
  | Extract<Message, { kind: 'attach' | 'attached' | 'refused' | 'detach' | 'durable' | 'stopped' }>

/**
 * The channels of a connection. Both ends let all that is said of them go through here, what they send and what they receive, and so know the
 * same of them, but for what is under way: what comes for a channel that is closed here is late, and no fault.
 */
export class Channels {
  /** A channel that is asked for has no window yet. */
  readonly #open = new Map<number, StreamWindow | 'asked'>()
  #highest = 0

  /** Whether it is or was one: its number is known. */
  isKnown(channel: number): boolean {
    return channel > 0 && channel <= this.#highest
  }

  /** Whether the next message of its stream may be sent. */
  isOpen(channel: number): boolean {
    return this.#windowOf(channel)?.isOpen === true
  }

  /** How many bytes of its stream are sent, and not durable. */
  weight(channel: number): number {
    return this.#windowOf(channel)?.weight ?? 0
  }

  /** @returns `late` where the channel is closed; where the protocol forbids the message, what is wrong with it */
  pass(message: ChannelMessage): undefined | 'late' | { problem: string } {
    const { kind, channel } = message
    const state = this.#open.get(channel)
    if (kind === 'attach') return this.#ask(channel)
    if (state === undefined) return this.isKnown(channel) ? 'late' : { problem: `'${kind}' for no channel` }
    if (kind === 'detach') {
      this.#open.delete(channel)
      return undefined
    }
    const isAnswer = kind === 'attached' || kind === 'refused'
    if (isAnswer !== (state === 'asked'))
      return { problem: isAnswer ? `'${kind}' for a channel that is open` : `'${kind}' before the channel is open` }
    if (kind === 'attached') this.#open.set(channel, new StreamWindow(message.window, message.received ?? 0))
    else if (kind === 'refused' || kind === 'stopped') this.#open.delete(channel)
    else if (state !== 'asked') {
      const problem = kind === 'durable' ? state.release(message.sequence) : state.send(message)
      return problem === undefined ? undefined : { problem }
    }
    return undefined
  }

  #ask(channel: number): undefined | { problem: string } {
    if (channel <= this.#highest) return { problem: `channel ${channel} again: each number is used once` }
    if (this.#open.size >= channelsAtMost) return { problem: `more than ${channelsAtMost} channels` }
    this.#highest = channel
    this.#open.set(channel, 'asked')
    return undefined
  }

  #windowOf(channel: number): StreamWindow | undefined {
    const state = this.#open.get(channel)
    return state === 'asked' ? undefined : state
  }
}
