// Loaded into jest by tools/test.mjs, which sends SIGTERM if jest does not exit after its tests. Then this names the
// resources that keep the process alive. Workers are not named: jest ends them.
if (process.env.JEST_WORKER_ID === undefined) {
  process.once('SIGTERM', () => {
    const resources = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap' && name !== 'TTYWrap');
    console.error(
      `the tests left open: ${[...new Set(resources)].join(', ') || 'nothing that Node names'}; ` +
        'run one file with --detectOpenHandles to find them',
    );
    process.exit();
  });
}
