import type { Duplex } from '../../link/duplex.js'

/** Where answers go. */
export interface AnswerWay extends Pick<Duplex, 'write'> {
  readonly unsent?: number | undefined
}

/** A connection on which nothing is written any more once it may not be, until the connection is ended. */
export function answering(duplex: Duplex, mayAnswer: (() => boolean) | undefined): AnswerWay {
  if (mayAnswer === undefined) return duplex
  let isOver = false
  return {
    write: bytes => {
      isOver ||= !mayAnswer()
      if (!isOver) duplex.write(bytes)
    },
    get unsent() {
      return duplex.unsent
    },
  }
}
