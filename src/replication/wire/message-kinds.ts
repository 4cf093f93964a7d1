import { dataAtMost, digestsAtMost, type Message } from './message.js'

export type Kind = Message['kind']

/** What follows a header: nothing, bytes of a disk, a length of 8 bytes, or JSON. */
type Body = 'nothing' | 'data' | 'length' | 'json'

interface KindRow {
  /** What the header says. It never changes, and is not used again for something else. */
  code: number
  from: 'agent' | 'hub' | 'both'
  body: Body
  /** How many bytes of it may follow the header. */
  most: number
}

/** How many bytes a text of JSON may have, where nothing else is said. */
const textAtMost = 16 * 1024
/** Before an agent is let in, nothing larger is taken of it. */
const greetingAtMost = 1024
/** What `bytes` answers: data, or digests of 32 bytes. */
const answerAtMost = Math.max(dataAtMost, digestsAtMost * 32)

/** All kinds of messages. */
export const kindTable = {
  hello: { code: 1, from: 'agent', body: 'json', most: greetingAtMost },
  welcome: { code: 2, from: 'hub', body: 'json', most: greetingAtMost },
  goodbye: { code: 3, from: 'both', body: 'json', most: textAtMost },
  ping: { code: 4, from: 'both', body: 'nothing', most: 0 },
  pong: { code: 5, from: 'both', body: 'nothing', most: 0 },

  attach: { code: 16, from: 'agent', body: 'json', most: 4 * textAtMost },
  attached: { code: 17, from: 'hub', body: 'json', most: textAtMost },
  refused: { code: 18, from: 'hub', body: 'json', most: textAtMost },
  detach: { code: 19, from: 'agent', body: 'nothing', most: 0 },
  durable: { code: 20, from: 'hub', body: 'nothing', most: 0 },
  stopped: { code: 21, from: 'hub', body: 'json', most: textAtMost },
  ready: { code: 22, from: 'hub', body: 'json', most: textAtMost },
  report: { code: 23, from: 'agent', body: 'json', most: 16 * textAtMost },

  write: { code: 32, from: 'agent', body: 'data', most: dataAtMost },
  zero: { code: 33, from: 'agent', body: 'length', most: 8 },
  fill: { code: 34, from: 'agent', body: 'data', most: dataAtMost },
  fillZero: { code: 35, from: 'agent', body: 'length', most: 8 },
  unsettled: { code: 36, from: 'agent', body: 'json', most: textAtMost },
  settled: { code: 37, from: 'agent', body: 'nothing', most: 0 },
  point: { code: 38, from: 'agent', body: 'json', most: textAtMost },

  digestsRequest: { code: 48, from: 'both', body: 'length', most: 8 },
  readRequest: { code: 49, from: 'both', body: 'length', most: 8 },
  writeRequest: { code: 50, from: 'both', body: 'data', most: dataAtMost },
  command: { code: 51, from: 'both', body: 'json', most: 4 * textAtMost },
  bytes: { code: 56, from: 'both', body: 'data', most: answerAtMost },
  done: { code: 57, from: 'both', body: 'json', most: 4 * textAtMost },
  failed: { code: 58, from: 'both', body: 'json', most: textAtMost },
} as const satisfies Record<Kind, KindRow>

/** By its code; undefined where there is none. */
export const kindOf = (code: number): Kind | undefined => byCode[code]

const byCode: readonly (Kind | undefined)[] = (() => {
  const table: (Kind | undefined)[] = Array(256).fill(undefined)
  for (const [kind, { code }] of Object.entries(kindTable)) table[code] = kind as Kind
  return table
})()
