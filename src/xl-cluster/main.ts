#!/usr/bin/env node
import { ProcessIo } from '../command-line/process-io.js'
import { run } from './run.js'

run(new ProcessIo()).then(status => process.exit(status))
