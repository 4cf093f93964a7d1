import { testCompletion } from '../support/completed-command.js'
import { runWith } from './run-with.js'

testCompletion('xl-remus', {
  scriptFor: async shell => (await runWith(['--completion', shell])).stdout,
  offers: [
    ['xl-remus re', ['resync']],
    ['xl-remus serve --li', ['--listen']],
    ['xl-remus promote --tw', ['--two']],
    ['xl-remus pairs --etcd-', ['--etcd-tls']],
    ['xl-remus demote --fo', ['--force']],
    ['xl-remus checkpoint o', ['off', 'on']],
    ['xl-remus serve --after-split-brain di', ['discard-secondary', 'disconnect']],
    ['xl-remus --completion z', ['zsh']],
  ],
  offersOfBash: [
    ['xl-remus status --fo', ['']],
    ['xl-remus create /et', ['/etc']],
    ['xl-remus serve /et', ['/etc']],
    ['xl-remus serve --control /et', ['/etc']],
    ['xl-remus serve --control=/et', ['/etc']],
    ['xl-remus serve --control /x,/et', ['']],
    ['xl-remus serve --listen ', ['']],
    ['xl-remus status ', ['']],
  ],
})
