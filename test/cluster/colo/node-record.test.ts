import t from 'tap'
import { formatNodeRecord, parseNodeRecord } from '#xenlight/cluster/colo/node-record.js'

const record = { promotion: 2002, by: 'berta', isForced: false, isAlone: true }
t.strictSame(parseNodeRecord(formatNodeRecord(record)), record)
for (const text of [
  '',
  'x',
  'null',
  '[]',
  ...[{ version: 2 }, { promotion: -1 }, { promotion: 2 ** 31 }, { by: 1 }, { isForced: 0 }, { isAlone: 'no' }].map(
    wrong => JSON.stringify({ version: 1, ...record, ...wrong }),
  ),
])
  t.equal(parseNodeRecord(text), undefined, text)
