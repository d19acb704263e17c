/** The value of `--with-data` without a folder: the data of the run's own stages. No folder has an empty name. */
export const ownData = ""
