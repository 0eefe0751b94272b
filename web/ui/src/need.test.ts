import { expect, it } from 'vitest';
import { commandIn } from './need';

it.each([
  [
    'The model is not on this machine. Run: dam models pull fast  (or, without a network: dam models import PATH)',
    'dam models pull fast',
  ],
  ['Run `dam models import PATH --name mine`.', 'dam models import PATH --name mine'],
  ['Once it is there, sound is compared: apt install a-b', 'apt install a-b'],
  ['Nothing has been looked at by this model yet. Run: dam index', 'dam index'],
])('finds the command in %j', (sentence, command) => expect(commandIn(sentence)).toBe(command));

it('finds none where none is named', () => expect(commandIn('The dam is closed.')).toBeNull());
