/** What a planted fault is bundled into: replay, and replay in pieces. */
export { replayLines } from '../../cli/replay.ts';
export { replayInPieces } from '../laws/in-pieces.ts';
