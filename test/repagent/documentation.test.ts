import { exitStatuses } from '#xenlight/repagent/exit-status.js'
import { options } from '#xenlight/repagent/option-table.js'
import { verbNames } from '#xenlight/repagent/verbs.js'
import { testDocumentation } from '../support/documented-command.js'
import { runWith } from './run-with.js'

testDocumentation({
  name: 'repagent',
  page: 'rephub',
  help: async () => (await runWith(['--help'])).stdout,
  options,
  verbs: verbNames,
  exitStatuses,
  widest: 120,
})
