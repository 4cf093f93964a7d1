import { isDeepStrictEqual } from 'node:util'

/** What two records of groups differ in, by the groups' names. */
export interface GroupChanges {
  added: readonly string[]
  removed: readonly string[]
  changed: readonly string[]
}

/** @returns the names, each list in the order of the file */
export function groupChanges(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): GroupChanges {
  const isKept = (name: string) => Object.hasOwn(before, name) && Object.hasOwn(after, name)
  return {
    added: Object.keys(after).filter(name => !isKept(name)),
    removed: Object.keys(before).filter(name => !isKept(name)),
    changed: Object.keys(after).filter(name => isKept(name) && !isDeepStrictEqual(before[name], after[name])),
  }
}

/** Which of these settings differ. */
export function changedSettings<Config extends object>(
  before: Config,
  after: Config,
  settings: readonly (keyof Config & string)[],
): string[] {
  return settings.filter(setting => !isDeepStrictEqual(before[setting], after[setting]))
}
