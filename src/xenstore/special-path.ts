/** Not nodes, but what happens to domains: "@introduceDomain", "@releaseDomain", or either with "/DOMID". */
export const isSpecialPath = (path: string): boolean => /^@(?:introduce|release)Domain(?:\/[0-9]{1,5})?$/.test(path)
