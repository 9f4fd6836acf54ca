// A page is of the version that serves it; the run that it shows may be of another, and lack what the page names.

/** What is wrong, and what to do. @param {string} run @param {string} name */
export const hasNo = (run, name) =>
  `The run ${run} was made by another version and has no ${name}. A new one has it: headgate transform.`;
