import { testCompletion } from '../support/completed-command.js'
import { runWith } from './fake-io.js'

testCompletion('xl-colo', {
  scriptFor: async shell => (await runWith(['--completion', shell])).stdout,
  offers: [
    ['xl-colo st', ['start', 'status', 'stop']],
    ['xl-colo start --ev', ['--every']],
    ['xl-colo start --st', ['--stop-on-exit']],
    ['xl-colo failover --fo', ['--force']],
    ['xl-colo --completion z', ['zsh']],
  ],
  offersOfBash: [
    ['xl-colo status --fo', ['']],
    ['xl-colo start --primary /et', ['/etc']],
    ['xl-colo start --primary=/et', ['/etc']],
    ['xl-colo start --primary /x,/et', ['/x,/etc']],
    ['xl-colo start --overlays /et', ['/etc']],
    ['xl-colo prepare /et', ['/etc']],
    ['xl-colo start --epoch ', ['']],
  ],
})
