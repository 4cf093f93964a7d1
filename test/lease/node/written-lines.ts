import { readFileSync } from 'node:fs'
import { EpochFence, LeaseError } from 'xenlight/lease'

export interface WrittenLine {
  epoch: number
  number: number
  holder: string
  /** When it was written, in milliseconds since 1970. */
  time: number
}

export interface WrittenLines {
  /** Those that a reader takes who refuses an epoch that is over. */
  taken: WrittenLine[]
  /** The others: written under an epoch after the first line of a later one. */
  refused: WrittenLine[]
}

/** Reads what the writers of lines wrote, as a resource does that checks epochs. */
export function readLines(file: string): WrittenLines {
  const fence = new EpochFence()
  const lines: WrittenLines = { taken: [], refused: [] }
  // the last one may still be on its way
  for (const text of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [epoch = '', number = '', holder = '', time = ''] = text.split(' ')
    const line = { epoch: Number(epoch), number: Number(number), holder, time: Number(time) }
    try {
      fence.admit(line.epoch)
      lines.taken.push(line)
    } catch (error) {
      if (!(error instanceof LeaseError && error.code === 'fenced')) throw error
      lines.refused.push(line)
    }
  }
  return lines
}

/** @throws Error where what a reader takes is not of one holder after another, each line once and in order */
export function checkTaken(taken: readonly WrittenLine[]): void {
  let before: WrittenLine | undefined
  for (const line of taken) {
    const isNext = before?.epoch === line.epoch ? line.number === before.number + 1 : line.number === 1
    const isSame = before?.epoch !== line.epoch || before.holder === line.holder
    if (!isNext || !isSame) throw new Error(`${JSON.stringify(line)} after ${JSON.stringify(before)}`)
    before = line
  }
}
