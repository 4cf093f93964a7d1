import { testCompletion } from '../support/completed-command.js'
import { runWith } from './run-with.js'

testCompletion('rephub', {
  scriptFor: async shell => (await runWith(['--completion', shell])).stdout,
  offers: [
    ['rephub fail', ['failback', 'failover']],
    ['rephub serve --ta', ['--take-over']],
    ['rephub failback --n', ['--now']],
    ['rephub resu', ['resume']],
    ['rephub wr', ['write']],
    ['rephub read --of', ['--offset']],
    ['rephub test --form b', ['blockdev']],
    ['rephub arguments --fo', ['--form']],
    ['rephub --completion z', ['zsh']],
  ],
  offersOfBash: [
    ['rephub status --at', ['']],
    ['rephub serve --data /et', ['/etc']],
    ['rephub points --control=/et', ['/etc']],
    ['rephub test --at ', ['']],
    ['rephub commit ', ['']],
  ],
})
