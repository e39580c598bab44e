// Loaded into jest by tools/test.mjs: at SIGTERM, which comes when jest does not exit after its tests, it names what
// keeps the process alive. Workers are left out: jest ends them.
if (process.env.JEST_WORKER_ID === undefined) {
  process.once('SIGTERM', () => {
    const resources = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap' && name !== 'TTYWrap');
    console.error(
      `the tests left open: ${[...new Set(resources)].join(', ') || 'nothing that Node names'}; ` +
        'run one file with --detectOpenHandles to see where',
    );
    process.exit();
  });
}
