#!/usr/bin/env node
import { ProcessIo } from './process-io.js'
import { run } from './run.js'

process.exitCode = run(new ProcessIo())
