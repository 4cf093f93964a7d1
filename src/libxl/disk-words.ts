/** The words of libxl's enumerations for disks, by number (libxl_types.idl). */
export const diskFormats = ['unknown', 'qcow', 'qcow2', 'vhd', 'raw', 'empty', 'qed'] as const
export const diskBackends = ['unknown', 'phy', 'tap', 'qdisk', 'standalone'] as const
export const diskSpecifications = ['unknown', 'xen', 'virtio'] as const
export const diskTransports = ['unknown', 'mmio'] as const

/** The word that a text is, capitals or not (`strcasecmp`: ASCII only). */
export function findWord<Word extends string>(words: readonly Word[], text: string): Word | undefined {
  const lower = text.replace(/[A-Z]+/g, capitals => capitals.toLowerCase())
  return words.find(word => word === lower)
}
