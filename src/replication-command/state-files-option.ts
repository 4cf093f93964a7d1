/** Where a cluster manager reads how each group is. */
export const stateFilesOption = {
  name: 'state-files',
  takes: 'DIR',
  file: true,
  help: 'say there how each group is, for a cluster manager (see xl-cluster)',
} as const
