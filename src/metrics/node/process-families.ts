import { counter, type Family, gauge } from '../family.js'

/** What is known of this process. */
export function processFamilies({ command, version }: { command: string; version: string }): Family[] {
  const { user, system } = process.cpuUsage()
  return [
    gauge('xenlight_info', 'Which command serves, and its version.', [[{ command, version }, 1]]),
    gauge('process_start_time_seconds', 'When the process was started.', [[{}, performance.timeOrigin / 1000]]),
    gauge('process_resident_memory_bytes', 'The memory of the process.', [[{}, process.memoryUsage.rss()]]),
    counter('process_cpu_seconds_total', 'What the process used of the processor.', [
      [{}, (user + system) / 1_000_000],
    ]),
  ]
}
