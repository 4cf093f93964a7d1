/** The option by which a command that serves says where its metrics are. */
export const metricsOption = {
  name: 'metrics',
  takes: 'ADDR',
  help: 'metrics for Prometheus: at this PORT, HOST:PORT or path',
} as const
