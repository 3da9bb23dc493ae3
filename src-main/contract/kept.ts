// What people keep for themselves: views of the list of tasks, templates of submissions, and folders.
// Kept by the core, so that it is there in every window and on every computer that looks at this core.
import { oc } from '@orpc/contract';
import { z } from 'zod';
import { feedOf } from './feed.ts';
import { fileLocation } from './files.ts';
import { taskFilter, taskSort, taskSubmission } from './task.ts';

const name = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(80, 'must be at most 80 characters')
  .refine((text) => !/\p{Cc}/u.test(text), 'must be one line without control characters');

export const keptView = z.object({
  kind: z.literal('task-view'),
  value: z.object({
    filter: taskFilter,
    sort: taskSort,
    /** Columns shown beside those that always are; absent in those kept before there was a choice. */
    columns: z.array(z.string().max(40)).max(40).optional(),
  }),
});
/** Values of secret variables are not kept: their names are, and the form asks for them. */
export const keptTemplate = z.object({
  kind: z.literal('task-template'),
  value: z.object({
    submission: taskSubmission.extend({ secretEnv: z.record(z.string(), z.never()).default({}) }),
    secretNames: z.array(z.string().max(256)).max(1000),
  }),
});
/** A folder of some place, by its ID, so that it is found when a node was renamed. */
export const keptFolder = z.object({ kind: z.literal('folder'), value: fileLocation });
export const keptThing = z.discriminatedUnion('kind', [keptView, keptTemplate, keptFolder]);
export type KeptThing = z.infer<typeof keptThing>;
export type KeptKind = KeptThing['kind'];

export const keptItem = z.object({ id: z.number().int().positive(), name, thing: keptThing });
export type KeptItem = z.infer<typeof keptItem>;

export const keptChange = z.union([
  z.object({ upsert: keptItem }),
  z.object({ removed: z.number().int() }),
]);
export type KeptChange = z.infer<typeof keptChange>;

/** Of one kind; more is refused. */
export const maxKeptOfKind = 200;

export const kept = {
  /** By name. */
  watch: oc.output(feedOf(z.array(keptItem), keptChange)),
  /** Keeps something under a name. A name that is taken in its kind is refused unless `replace`. */
  save: oc
    .input(z.strictObject({ name, thing: keptThing, replace: z.boolean().default(false) }))
    .output(keptItem),
  remove: oc.input(z.object({ id: z.number().int() })).output(z.object({ removed: z.boolean() })),
};
