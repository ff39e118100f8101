import { expect, test } from 'vitest';
import { CleanLine } from '../clean/clean-line.ts';
import { utf8Bytes } from '../clean/line-ends.ts';
import { readXml, textAt, type XmlElement } from './xml.ts';

const linesOf = (text: string): CleanLine[] =>
  text.split('\n').map((line, at) => {
    const bytes = utf8Bytes(line);
    return new CleanLine(bytes, 0, bytes.length, at + 1);
  });
const shown = ({ name, attributes, children, text }: XmlElement): string =>
  `${name}${[...attributes].map(([key, value]) => ` ${key}=${value}`).join('')}${text === '' ? '' : ` "${text}"`}${
    children.length === 0 ? '' : `(${children.map(shown).join(' ')})`
  }`;
const read = (text: string): string => {
  const { root, isComplete } = readXml(linesOf(text));
  return `${root.children.map(shown).join(' ')}${isComplete ? '' : ' …'}`;
};

test('elements, attributes and text', () => {
  expect(read('<?xml version="1.0"?>\n<!DOCTYPE a SYSTEM "x">\n<a x="1" y=\'2\'>\n <b>text</b><c/>\n</a>')).toBe(
    'a x=1 y=2(b "text" c)',
  );
});

test('a tag over several lines is one, at the line where it begins', () => {
  const { root } = readXml(linesOf('<a\n  x="1"\n  y="2">\n<b/></a>'));
  expect(root.children[0]?.line).toBe(1);
  expect(root.children[0]?.attributes.get('y')).toBe('2');
  expect(root.children[0]?.children[0]?.line).toBe(4);
});

test('comments hide what is in them, and brackets in values are no tags', () => {
  expect(read('<a><!-- <b/> --><c x="a > b"/></a>')).toBe('a(c x=a > b)');
  expect(read('<!--\n <b/>\n-->\n<a/>')).toBe('a');
});

test('what is cut or not closed gives what is there, and says so', () => {
  expect(read('<a><b><c x="1"/>')).toBe('a(b(c x=1)) …');
  expect(read('<a><b></a>')).toBe('a(b)');
  expect(read('<a><b x="1')).toBe('a …');
  expect(read('</a><b/>')).toBe('b');
  expect(read('nothing')).toBe('');
});

test('depth and number are bounded', () => {
  const deep = readXml(linesOf('<a>'.repeat(5000)));
  expect(deep.isComplete).toBe(false);
  expect(read(`${'<a>'.repeat(150)}${'</a>'.repeat(150)}`).endsWith('…')).toBe(false);
});

test('text at a path', () => {
  const { root } = readXml(linesOf('<a><b><c> x </c></b></a>'));
  expect(textAt(root, 'a', 'b', 'c')).toBe('x');
  expect(textAt(root, 'a', 'd')).toBeNull();
});

test('text that is made to be slow is read as soon as other text', () => {
  for (const part of ['<a ', '<', '<!--', 'x="', '</a', '<a x="1" ', '<a>']) {
    readXml(linesOf(Array(2000).fill(part.repeat(40)).join('\n')));
  }
});
