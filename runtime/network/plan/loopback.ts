/** Of the link that is in every namespace from its start. */
export const LOOPBACK_INDEX = 1;
