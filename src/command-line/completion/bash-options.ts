import type { Option } from '../option.js'

/**
 * Finds the word that is completed, the line before it, and the word before it. bash splits words at = and : before a completion sees
 * them, so the word is taken from the line itself.
 */
export const bashWords = `  word=\${line##*[[:space:]]}
  line=\${line%"$word"}
  line=\${line%"\${line##*[![:space:]]}"}
  previous=\${line##*[[:space:]]}
  if [[ $word == --*=* ]]; then
    previous=\${word%%=*}
    word=\${word#*=}
  fi`

/** What comes behind an option: the cases of `previous`, which leave it in `words` or return. */
export function bashValues(options: readonly Option[]): string[] {
  const isList = ({ file, takes }: Option) => file === true && takes?.includes(',') === true
  const named = (which: (option: Option) => boolean) => options.filter(which).map(({ name }) => `--${name}`)
  const lists = named(isList)
  const free = named(({ takes, values, file }) => takes !== undefined && !values && !file)
  return [
    ...options.flatMap(({ name, short, values }) =>
      values ? [`    --${name}${short ? `|-${short}` : ''}) words='${values.join(' ')}' ;;`] : [],
    ),
    ...(lists.length === 0
      ? []
      : [
          `    ${lists.join('|')})
      compopt -o filenames
      [[ $word == *,* ]] && before=\${word%,*},
      mapfile -t COMPREPLY < <(compgen -f -P "$before" -- "\${word#"$before"}")
      return ;;`,
        ]),
    ...bashFiles(
      named(option => option.file === true && !isList(option)),
      '    ',
    ),
    ...(free.length === 0 ? [] : [`    ${free.join('|')}) return ;;`]),
  ]
}

/** A case in which files are offered. */
export const bashFiles = (names: readonly string[], indent: string): string[] =>
  names.length === 0
    ? []
    : [
        `${indent}${names.join('|')})
${indent}  compopt -o filenames
${indent}  mapfile -t COMPREPLY < <(compgen -f -- "$word")
${indent}  return ;;`,
      ]

/** The options' names, one after the other. */
export const bashNames = (options: readonly Option[]): string =>
  options.flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])]).join(' ')
