import { jsonLine } from '../command-line/json-line.js'
import { printable } from '../printable.js'
import type { TakenPoint } from '../replication/agent/taken-point.js'
import { momentText } from './moment-text.js'

/** A checkpoint that was taken, for standard output. */
export const checkpointText = (point: TakenPoint, json: boolean): string =>
  json ? jsonLine(point) : `checkpoint ${printable(point.name)} of ${momentText(point.time)}\n`
