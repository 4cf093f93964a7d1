/** How long a resource's name may be (DRBD's SHARED_SECRET_MAX and its sysfs names allow no more). */
const longest = 127

/** Whether a text can be the name of a DRBD resource; what could be an option or a path is none. */
export const isResourceName = (text: string): boolean =>
  text.length <= longest && /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(text) && !text.includes('..') && text !== 'all'
