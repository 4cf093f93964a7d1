#!/usr/bin/env node
import { ProcessIo } from './process-io.js'
import { run } from './run.js'

const status = run(new ProcessIo())
if (typeof status === 'number') process.exitCode = status
else
  status.then(later => {
    process.exitCode = later
  })
