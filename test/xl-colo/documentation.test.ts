import { exitStatuses } from '#xenlight/xl-colo/exit-status.js'
import { options } from '#xenlight/xl-colo/option-table.js'
import { verbNames } from '#xenlight/xl-colo/verbs.js'
import { testDocumentation } from '../support/documented-command.js'
import { runWith } from './fake-io.js'

testDocumentation({
  name: 'xl-colo',
  help: async () => (await runWith(['--help'])).stdout,
  options,
  verbs: verbNames,
  exitStatuses,
  widest: 110,
})
