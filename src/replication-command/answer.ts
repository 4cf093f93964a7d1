import { LinkError } from '../link/link-error.js'
import type { Who } from './ask.js'

/** Takes an answer for what it should be, where it has these members: who answers may be of another version. @throws LinkError */
export function answerOf<Answer extends object>(
  who: Who,
  answer: unknown,
  ...members: (keyof Answer & string)[]
): Answer {
  const isOne = typeof answer === 'object' && answer !== null && members.every(member => member in answer)
  if (isOne) return answer as Answer
  throw unknownAnswer(who)
}

/** The same of a list. */
export function answersOf<Answer extends object>(
  who: Who,
  answer: unknown,
  ...members: (keyof Answer & string)[]
): Answer[] {
  if (!Array.isArray(answer)) throw unknownAnswer(who)
  return answer.map(one => answerOf<Answer>(who, one, ...members))
}

const unknownAnswer = (who: Who) =>
  new LinkError('EPROTO', `${who} answers what this command does not know: is it of another version?`)
