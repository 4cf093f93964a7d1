import { testCompletion } from '../support/completed-command.js'
import { runWith } from './run-with.js'

testCompletion('xl-cluster', {
  scriptFor: async shell => (await runWith(['--completion', shell])).stdout,
  offers: [
    ['xl-cluster inst', ['install']],
    ['xl-cluster force --re', ['--reason']],
    ['xl-cluster --completion z', ['zsh']],
  ],
  offersOfBash: [
    ['xl-cluster install /et', ['/etc']],
    ['xl-cluster install --re', ['']],
  ],
})
