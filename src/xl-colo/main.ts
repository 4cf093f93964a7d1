#!/usr/bin/env node
import { ProcessIo } from '../command-line/process-io.js'
import { run } from './run.js'

// what waits for a monitor that is silent would keep the process
run(new ProcessIo()).then(status => process.exit(status))
