// Mocha would add the files named on the command line to those named here.
const isPartNamed = process.argv
  .slice(2)
  .some((word, i, words) => /\.test\.ts$|^--spec/.test(word) && words[i - 1] !== "--ignore");

module.exports = {
  "node-option": ["import=tsx"],
  extension: ["ts"],
  require: ["./test/support/leftovers/suite-check.ts"],
  ...(isPartNamed
    ? {}
    : {
        spec: [
          "{core,proto,raft-ts,manager,worker,runtime,api,cli,daemon}/**/*.test.ts",
          "test/**/*.test.ts",
        ],
      }),
  reporter: "./test/support/reporter.ts",
  failZero: true,
  forbidOnly: true,
  checkLeaks: true,
  timeout: 10000,
};
