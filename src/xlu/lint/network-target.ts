import { looksLikeNetwork } from '../../libxl/nbd-target.js'
import { type LintRule, nothing } from './finding.js'

/** A URL, or a protocol of QEMU's, which is the name of a file to libxl. */
export const networkTarget: LintRule = context => {
  const { pdevPath, script } = context.disk
  if (script !== undefined || pdevPath === undefined || pdevPath.indexOf(':') < 0) return nothing
  if (!looksLikeNetwork(pdevPath)) return nothing
  const nbd = pdevPath.toLowerCase().startsWith('nbd')
  return [
    {
      code: 'network-target',
      field: 'pdevPath',
      message: 'the target looks like one on the network, and is taken for the name of a file',
      at: context.valueSpan('pdevPath'),
      hint: nbd
        ? 'write nbd+unix:///NAME?socket=PATH: PATH absolute, at most 107 bytes, other characters as %XX, and nothing else'
        : 'make it a device of the host, by a script for example, and give that',
    },
  ]
}
