import { commandLine, splitWords, UnfinishedWord } from '../shell';

// What sh makes of the same, but for `$`, `*` and `~`.
it.each<[string, string[]]>([
  ['', []],
  ['  ', []],
  ['a', ['a']],
  ['--year 2020  --out  x.nc ', ['--year', '2020', '--out', 'x.nc']],
  ["'two words' three", ['two words', 'three']],
  ['"two words"three', ['two wordsthree']],
  ['a\'b\'"c"d', ['abcd']],
  ['\'\' ""', ['', '']],
  ['two\\ words', ['two words']],
  ["'a\\b'", ['a\\b']],
  ['"a\\b \\" \\\\ \\$x"', ['a\\b " \\ $x']],
  ['$HOME *.nc ~', ['$HOME', '*.nc', '~']],
  ["it\\'s", ["it's"]],
  ['é 日本 "ü ö"', ['é', '日本', 'ü ö']]
])('splits %p into %p', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

it.each(["'a", '"a', 'a\\', '"a\\', 'a \'b" c'])(
  'takes %p for unfinished',
  line => {
    expect(() => splitWords(line)).toThrow(UnfinishedWord);
  }
);

it.each([[['plain', '--a=b:c,d/e']], [['two words', "it's", '', '$HOME']]])(
  'shows %p so that it is split into the same',
  words => {
    const line = commandLine({ path: 'a b.py', arguments: words });
    expect(splitWords(line)).toEqual(['a b.py', ...words]);
  }
);

it('quotes only what has to be', () => {
  const words = ['--year=2020', 'two words', "it's"];
  expect(commandLine({ path: 'run.py', arguments: words })).toBe(
    "run.py --year=2020 'two words' 'it'\\''s'"
  );
});
