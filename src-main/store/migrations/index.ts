// Every step of the schema, in order. A step that was released is never edited: add the next one.
import type { Migration } from '../migrate.ts';
import { initial } from './0001-initial.ts';
import { queue } from './0002-queue.ts';
import { vpsTables } from './0003-vps.ts';
import { notices } from './0004-notices.ts';
import { transfers } from './0005-transfers.ts';
import { forwards } from './0006-forwards.ts';
import { shares } from './0007-shares.ts';
import { forwardPause } from './0008-forward-pause.ts';
import { environments } from './0009-environments.ts';
import { taskFiles } from './0010-task-files.ts';

export const migrations: readonly Migration[] = [
  initial,
  queue,
  vpsTables,
  notices,
  transfers,
  forwards,
  shares,
  forwardPause,
  environments,
  taskFiles,
];
