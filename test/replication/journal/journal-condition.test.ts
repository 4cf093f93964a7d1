import t from 'tap'
import { JournalCondition } from '#xenlight/replication/journal/journal-condition.js'
import { SegmentStore } from '#xenlight/replication/journal/segment-store.js'
import { ReplicationError } from '#xenlight/replication/replication-error.js'
import { MemoryDisk } from '../memory-folder.js'

const condition = () => new JournalCondition(new SegmentStore(new MemoryDisk().folder, 1))
const full = () => new ReplicationError('full', 'no room')

t.test('room makes a full journal take records again', async t => {
  const journal = condition()
  journal.fail(full())
  t.equal(journal.state, 'full')
  await journal.tryAgain()
  t.equal(journal.state, 'taking')
})

t.test('room is nothing to a disk that failed, be it while room is looked for', async t => {
  const journal = condition()
  journal.fail(full())
  const tried = journal.tryAgain()
  journal.fail(new ReplicationError('file-failed', 'EIO'))
  await tried
  t.equal(journal.state, 'failed')
  await journal.tryAgain()
  t.equal(journal.state, 'failed')
})
