/** Docker's name for layers, and what is written, put together by overlayfs with the directories that inspect shows. */
export const STORAGE_DRIVER = "overlay2";
