/** What groups, volumes, branches and agents may be called: it is a file's name and a part of an export's, and no option. */
const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const isName = (text: string): boolean => pattern.test(text)

/** For messages. */
export const nameRule = '1 to 64 letters, digits, dots, dashes and underscores, the first of them a letter or a digit'
