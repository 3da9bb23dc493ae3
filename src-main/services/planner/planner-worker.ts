// The worker thread that plans. It answers messages in the order they come.
import { parentPort } from 'node:worker_threads';
import { PlannerMirror } from './planner-mirror.ts';
import type { PlannerAnswer, PlannerQuestion } from './worker-planner.ts';

const mirror = new PlannerMirror();

parentPort?.on('message', (question: PlannerQuestion) => {
  const { id, news } = question;
  const answer: PlannerAnswer =
    question.kind === 'pass'
      ? { id, kind: 'pass', pass: mirror.pass(news) }
      : { id, kind: 'explain', explanation: mirror.explain(news, question.task) };
  parentPort?.postMessage(answer);
});
