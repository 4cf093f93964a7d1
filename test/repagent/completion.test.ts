import { testCompletion } from '../support/completed-command.js'
import { runWith } from './run-with.js'

testCompletion('repagent', {
  scriptFor: async shell => (await runWith(['--completion', shell])).stdout,
  offers: [
    ['repagent res', ['resume']],
    ['repagent protect --qc', ['--qcow2']],
    ['repagent status --wa', ['--watch']],
    ['repagent --completion z', ['zsh']],
  ],
  offersOfBash: [
    ['repagent status --hu', ['']],
    ['repagent protect /et', ['/etc']],
    ['repagent header /et', ['/etc']],
    ['repagent serve --config /et', ['/etc']],
    ['repagent status --control=/et', ['/etc']],
    ['repagent protect --hub ', ['']],
    ['repagent pause ', ['']],
  ],
})
