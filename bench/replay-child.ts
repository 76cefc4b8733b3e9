import { replayFile } from '../cli/replay.ts';
import { report } from './child-report.ts';

await report(async () => {
  await replayFile({ eventsPath: process.argv[2] ?? '', outDir: process.argv[3] ?? '' });
});
