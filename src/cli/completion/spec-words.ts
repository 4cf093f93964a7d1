import { diskFlags, diskKeys } from '../../xlu/disk-keys.js'

/** What a part of a spec may be, as offered while it is typed: keys with their equals sign, and flags. */
export const specWords: readonly string[] = [...[...diskKeys.keys()].map(key => `${key}=`), ...diskFlags]

/** The keys that take one of a few values. */
export const valuedKeys: readonly (readonly [key: string, values: readonly string[]])[] = [...diskKeys].flatMap(
  ([key, { values }]) => (values ? [[key, values] as const] : []),
)

/** The keys that take a path. */
export const pathKeys: readonly string[] = [...diskKeys].flatMap(([key, { takes }]) =>
  takes?.includes('path') ? [key] : [],
)
