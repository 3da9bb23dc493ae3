import { expect, test } from 'vitest';
import {
  listedName,
  registriesIn,
  registryAddress,
  registryHost,
  registryOf,
} from '../../../src-main/domain/registries/registry.ts';

test('the registry of a reference is told by its first part', () => {
  const cases = {
    debian: 'docker.io',
    'debian:12': 'docker.io',
    'team/image:1': 'docker.io',
    'docker.io/library/debian': 'docker.io',
    'index.docker.io/x/y': 'docker.io',
    'localhost/x': 'localhost',
    'localhost:5000/x': 'localhost:5000',
    'Registry.Example/team/image@sha256:0': 'registry.example',
    '10.0.0.1:5000/x:1': '10.0.0.1:5000',
    '[::1]:5000/x': '[::1]:5000',
  };
  for (const [reference, host] of Object.entries(cases)) expect(registryOf(reference)).toBe(host);
  expect(registryHost(' https://Registry.Example:5000/v2/ ')).toBe('registry.example:5000');
  expect(registryHost('https://index.docker.io/v1/')).toBe('docker.io');
  expect(registryAddress('docker.io')).toBe('https://index.docker.io/v1/');
});

test('a Dockerfile tells where its images come from', () => {
  const text = `
# FROM commented.example/x
FROM --platform=linux/amd64 one.example/x:1 AS base
  from two.example:5000/y
COPY --chown=1:1 --from=three.example/z /a /b
COPY --from=base /a /b
FROM \${REGISTRY}/v
FROM scratch`;
  expect(registriesIn(text)).toEqual([
    'one.example',
    'two.example:5000',
    'three.example',
    'docker.io',
  ]);
});

test('a reference is told as an Engine lists it', () => {
  const cases = {
    debian: 'debian:latest',
    'debian:12': 'debian:12',
    'library/debian': 'debian:latest',
    'docker.io/library/debian:12': 'debian:12',
    'index.docker.io/team/image': 'team/image:latest',
    'docker.io/debian@sha256:0': 'debian@sha256:0',
    'debian:12@sha256:0': 'debian@sha256:0',
    'localhost:5000/x': 'localhost:5000/x:latest',
    'localhost:5000/x:1': 'localhost:5000/x:1',
    'localhost:5000/x:1@sha256:0': 'localhost:5000/x@sha256:0',
    'registry.example/library/x:1': 'registry.example/library/x:1',
    'kohakuriver/torch:base': 'kohakuriver/torch:base',
  };
  for (const [reference, name] of Object.entries(cases)) expect(listedName(reference)).toBe(name);
});
