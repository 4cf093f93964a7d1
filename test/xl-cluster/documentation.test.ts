import { exitStatuses } from '#xenlight/xl-cluster/exit-status.js'
import { options } from '#xenlight/xl-cluster/option-table.js'
import { verbNames } from '#xenlight/xl-cluster/verbs.js'
import { testDocumentation } from '../support/documented-command.js'
import { runWith } from './run-with.js'

testDocumentation({
  name: 'xl-cluster',
  page: 'cluster',
  help: async () => (await runWith(['--help'])).stdout,
  options,
  verbs: verbNames,
  exitStatuses,
  widest: 120,
})
