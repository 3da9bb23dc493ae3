// The syntax of files, by their names. Each is fetched when a file of its kind is first opened.
import type { StreamParser } from '@codemirror/language';
import { fetchAgain } from './fetch-again.ts';

type Load = () => Promise<StreamParser<unknown>>;

const shell: Load = async () => (await import('@codemirror/legacy-modes/mode/shell')).shell;
const python: Load = async () => (await import('@codemirror/legacy-modes/mode/python')).python;
const yaml: Load = async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml;
const script: Load = async () =>
  (await import('@codemirror/legacy-modes/mode/javascript')).javascript;
const typed: Load = async () =>
  (await import('@codemirror/legacy-modes/mode/javascript')).typescript;
const json: Load = async () => (await import('@codemirror/legacy-modes/mode/javascript')).json;
const clike: Load = async () => (await import('@codemirror/legacy-modes/mode/clike')).cpp;
const html: Load = async () => (await import('@codemirror/legacy-modes/mode/xml')).html;
const properties: Load = async () =>
  (await import('@codemirror/legacy-modes/mode/properties')).properties;

const languages: Readonly<Record<string, Load>> = {
  ...{ sh: shell, bash: shell, zsh: shell, bashrc: shell, profile: shell, py: python, pyi: python },
  ...{ yaml, yml: yaml, js: script, mjs: script, cjs: script, ts: typed, tsx: typed, json },
  ...{ c: clike, h: clike, cc: clike, cpp: clike, hpp: clike, cu: clike, cuh: clike },
  ...{ html, xml: html, svg: html, ini: properties, conf: properties, cfg: properties },
  ...{ jsonl: json, ipynb: json, env: properties, sbatch: shell, patch: diff },
  toml: async () => (await import('@codemirror/legacy-modes/mode/toml')).toml,
  css: async () => (await import('@codemirror/legacy-modes/mode/css')).css,
  rs: async () => (await import('@codemirror/legacy-modes/mode/rust')).rust,
  go: async () => (await import('@codemirror/legacy-modes/mode/go')).go,
  sql: async () => (await import('@codemirror/legacy-modes/mode/sql')).standardSQL,
  dockerfile: async () => (await import('@codemirror/legacy-modes/mode/dockerfile')).dockerFile,
  diff,
};

async function diff(): Promise<StreamParser<unknown>> {
  return (await import('@codemirror/legacy-modes/mode/diff')).diff;
}

/** Undefined where nothing is known of files of this name. */
export function languageOf(name: string): Promise<StreamParser<unknown>> | undefined {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const load = Object.hasOwn(languages, ending) ? languages[ending] : undefined;
  return load && fetchAgain(load);
}
