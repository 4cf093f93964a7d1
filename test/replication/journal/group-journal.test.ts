import t from 'tap'
import { createRandom } from '../../support/random.js'
import { MemoryDisk } from '../memory-folder.js'
import { emptyMoment } from './journal-model.js'
import { JournalRun } from './journal-run.js'
import { checkJournal } from './verify-journal.js'

const { RUNS = '12', SEED = '1' } = process.env
const runs = Number(RUNS)
const firstSeed = Number(SEED)

t.test('whatever is done to a journal, each point that it offers is what the model says', async () => {
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const random = createRandom(seed)
    const options = {
      segmentSize: random.pick([2048, 16_384, 200_000]),
      compress: random.chance(0.3),
      limits: random.pick([{}, { bytes: 20_000 }, { bytes: 60_000 }, { history: 3_000_000 }]),
    }
    const run = new JournalRun(new MemoryDisk(), random, options, emptyMoment)
    run.large = seed % 10 === 0
    try {
      await run.open()
      for (let step = 0; step < 300; step++) {
        await run.step()
        if (step % 60 === 59) {
          await run.settle()
          run.checkPinned()
          await checkJournal(run.journal, run.head, random, 5)
        }
      }
      await run.settle()
      run.checkPinned()
      await checkJournal(run.journal, run.head, random, 40)
      await run.reopen()
      await checkJournal(run.journal, run.head, random, 40)
      await run.close()
    } catch (error) {
      throw new Error(`seed ${seed}, ${JSON.stringify(options)}`, { cause: error })
    }
  }
})
