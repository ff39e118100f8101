/** bzip2, decoded within bounds. The streams were made by Python's bz2 module at level 1. */

import { expect, test } from 'vitest';
import { rounds } from '../../../../tests/soak.ts';
import { Bzip2Error, bunzip2 } from './bunzip2.ts';
import { TooLongError } from './unpack-limit.ts';

const LIMIT = (): number => 2 ** 20;

function stream(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}

/** 1000 x 7, 4 x 8, 5 x 9, 259 x 8, 260 x 1: runs at the edges of the outer run lengths. */
const RUNS = stream('QlpoMTFBWSZTWadrnx4AAAfAAeDgAIAACCAAMQwA2lPTKRaRirg6kVE3QptzO+LuSKcKEhTtc+PA');

/** Every byte value, three times. */
const ALL_VALUES = stream(
  'QlpoMTFBWSZTWe3ga8wAAAF/////////////////////////////////////////////sAFgAS//9VVQJgJgAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAH9QFAkDQRBX/IMg6EIShSFoY/9DUOQ9EERRJE0URVFkXRhGUaRtHEdR5H0gSFIkjSRJUmSdKEpSpK0sS1LkvTB' +
    'MUyTNNE1TZN04TlOk7TxPU+T9QFBUJQ1EUVRlHUhSVKUtTFNU5T1QVFUlTVRVVWVdWFZVpW1cV1XlfWBYViWNZFlWZZ1oWlalrWx' +
    'bVuW9cFxXJc10XVdl3XheV6XtfF9X5f2AYFgmDYRhWGYdiGJYpi2MY1jmPZBkWSZNlGVZZl2YZlmmbZxnWeZ9oGhaJo2kaVpmnah' +
    'qWqatrGta5r2wbFsmzbRtW2bduG5bpu28b1vm/cBwXCcNxHFcZx3IclynLcxzXOc90HRdJ03UdV1nXdh2Xadt3Hdd533geF4njeR' +
    '5Xmed6Hpep63se17nvfB8XyfN9H1fZ934fl+n7fx/X+F3JFOFCQ7eBrzAA==',
);

/** 250,000 bytes: three blocks. */
const BLOCKS = stream(
  'QlpoMTFBWSZTWUtkA3QAADJ/////////////////////////////////////////////4A+ffEUFKopVIEolVKpRUlFIhIIpCgkU' +
    'FCgSYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAASYACYA' +
    'AmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE1VTBNQqBoAAAAA' +
    'AGgAAAAAAANBoDIAANGgBpoADTQA0AGgAAaADQADQADQNAFKqZoUUmgAAAAAAAAAAAAAAAAAAAAAAAAAAAAaAAaAAAAAAGhoDTI6' +
    'ARcLkkXESLWRcPIt6Rb8hxyU0Sm+JTdCVvJTJKcclMAlbiU0Sn/kpvSU3kpklNUpskpsSmKU3glaJTbIt0i2kWxFxKqRnIsJFiRZ' +
    'SLiiRayLKRZyLORcVSLSRZyLKRcWkWJFtIbUpvJTekpmlN8kpmlM0lvyLORcYSLSRaSLKRcZkWci4CRbEXAyLEi4vItZFvSLaRcC' +
    'kWJFxpIuNyLKRbSLWRayLgJFpIuOSLEixIspFx2RYkWyRbSLgJDRKZpTlKU0SmxKcqSmKU2kWUi5BIsSLEi0SLSRbxFpIuQyLaRa' +
    'pFlIuRSLeSmqUwSmKU0SmaUzSnLpFySRYkWJFlIs5FpIsEpqlOYJTmKUzSmaUwSnMiLEi2kW0izkWsiyIuUSLlMixItpFtIuBSLE' +
    'izkWci2kXKpFyuRaSLaRaIpilMUpupTm6UwSmaU5whcukWqRcDIspFrIt9ItpFy+RYkWsi1IuYSLmMi35UySmqU1SmSUzSmqU1SX' +
    'MpFlIuAkXM5FzSRYkWJDNKbyUySmUlNUpqlOgJViRbSLm0i0kWhFzeRc4kWJFtIuJSLVIsSLNIt6Q6IlMUpglOipTBKZJTFKaJTo' +
    'yU0SmaU1SnR0pqlMkpupTpCU6SlNUpklMEpilM0prJTSlOlJTVKapTpaUxSmqU1SmaUzSm+pTBKYJTpiUxSm1KaJTRKdNQsSLoki' +
    'ykWSRb8i6LItpFkqR0aRayLWRdGkWsiyim1KdRSmKUxSm8lOpJTJC1kWkixIukyLORb8ixIulSLEi6XIt0i2kWki6ZIsSLSRb8i1' +
    'kWki6bIs0htSnWEpqlNqU6ylNEpglNUp1pKYyUzSnW0pilNEpiRdSkWki6nIspFvpFiRdeSmKU1kptSmqU0SnX0prItJF1aRbSLq' +
    '8i0SLaRdiSmaUxSnY0psSmqU48lOySLEi1kW9ItpFtItpFukW6RYkXW0i1kXXZFlIuvUpglO0JTdSmiU7SlNJKYkXYJFtItpFhIs' +
    'SLsMi1pTGSnbEpglNiUxSnbUpqRZSLdIsSLssi7LIs5F2aRZSLWRayLWRdnkWSRdoimiU1Sm4lM5KYBKwSnc0i7XIsSLtkiykXbJ' +
    'FtIu2yLJItZFvyLaRZyLKRdukWiRZyLSRdwkWUi7jIskpmErdSm/JTFKbUpvyU7nIsJFiRayLusixIsSLJKZpTNKd/SmiUzSm/pT' +
    'YlN1KYJTJKZJTf0puJTwBFiRd6kWiRd7kXe5FvSLckWiRd8SLKRbSLORd+kWqUySnApTFKcClNqU3EprIs5F4CRZyLwUiySLaRbS' +
    'LwUi3SLVIvBpFpItJFiReFkWJFiReGkWUiykWaU8YlMUpuJTxqU0SmSU8eReJkW0i8VItZFrIs5FqkWsi1kXi5FtIspFpIvGxTFK' +
    'apTBKeTSm1KaJTyiUxSmqU4JKbAlcElNqUwSnlkpilMkpolODSnBpTFCwkW0i8pItJFtItpF5aRYkWJFvSLKRZSLRIvLpFpItJF5' +
    'mRZyLzEi81Is0i81ItZFhIvOSLORayLEUxSmKU4RKcIlMUpilOFSmqU4VKZJTRKbEpolPRJLWRYkWJF6KReikWJFtIsSL0cixItZ' +
    'F6WRZpFtIsSLaRZSLJIt6RemSL1Ei3SLaRaSLKRenkXqZFpIs5FnIvVyLEi9UkW0izkMUpilM0pwyU4ZKYpTJKcOlOHSmaU2pTRK' +
    'ewSmKU2JTNKZpTFKbEp7FKZJTAizkWsizkXs5F7NItpF7WlMUpilNUp7RKZJTFKaJT2yUwSnEJTBKZJT26U4hCzkW/IvcyLKRZJF' +
    'ukXu5F7uRYSLRItpF72RZyLfkWUi0kXvpFkkW0izkXBSLgpFiRYSL4MixIsSLWKZpT4CUwSmCU4lKaJTiULKRbpF8RIskizkWci+' +
    'NIsSLCRYkXyJFiRfHkXx5FiRZSLKRfJSLCRbpFpIvkyL5aRbpFwci4NIs5Fwci1kWqRfOkWJFlIvnSLRKZpT56U2pT6CU1kp9FKb' +
    'JKZJTYEralOKSnFSU+okt0i1kWsixItki+tItUi+tIsSL7CRYkWaRfYkW5IvtSLEixIspF9qRfckWUUwSmiUySnFpTNKYpTi0L70' +
    'i2SL78iySLWRYkWsi/DIvwyLWRaSLKRfjSLJIt0i/HIs5F+WRZJFlItJFnIvyyLSRbJF+eRfnSL9Mi/TIv1yLEixIsSLEizJTWSn' +
    'GJTRKcYlMwlZpV+5Iv3JFrIv4SLORZSLJIspFmkX8pFuSL+Mi4SRcJIsSLhEiwkWci/rItyRYkWUiykXCyLhZFmkX95FuSmqU41K' +
    'bEpxqU0SmUU/wRf6kWqRYSLBFlIs5F/qRb0i3JFw0i3SLORbSLhpFw0ixIs5FukWUi4eRcPItJFukWUi2kWhFw6RcNIuIkXEJF/6' +
    'RYkWSRbSL/5igrJMprIKei8kAYHR/////////////////////////////////////////////8AfPviColKUVSCpQSVJSpKEIopU' +
    'pAAoCgAJMABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABJgAJgACYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAJM' +
    'ABMAATAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABJgAJgACYAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACaqpgSnqSAA' +
    'AAAAAANAAAAAaA0DQaAZDQBo0AADQA00GgAAAABoAABoAAaAGgClVPTQkqelNGCGJoNMEwmmCZDINGJ6TBNGTJiYmTAgxPRDAgND' +
    'NIyMTRgTJkMTJgjaTJgTaENMBNpNNAMaBqYmmR6nkn2si4JF0Mi1kXQSLeRcZFxyU0SnIUpvAlbkpklOOSmASt4lNEp/5Kb2Sm9S' +
    'mSU2pTZJTYlMUpvQlaJTUi4SLeRbyLlVSNJFlIsyLEi+kSLaRYkWki0kXRUi1kWkixIvpZFmRbyLeRcqRcpItZF9MkWsi1kXJItJ' +
    'F0ZItZFrIsSLo8hilNyU1Sm+JTJKciSmiU4yLeRcskWZF0hIukyLEhqlNEpolNyUzSnJkpklMkpglOTpTJKayU1Sm5KaJTNKcoSm' +
    'iU2JTlKUxSmsixIulyLMizItUi1kXGRayLpki3kWyRYkXTZFykptSmCUxSmiUzSmaU5aRdOkWZFmRYkWki1kWUi4yL6uRfWSLWRa' +
    'yLEi+timSU1SmqUxSmiUwSnMkLp8izIt5FvIuWSLMi0kWki3kX18i6hItZFvItUqYpTFKbkpzZKYJTNKc3SXU5FskXLSLEi2kXIk' +
    'W8i6pIsyLaRbSL7CRdVkXJIsyLjIuMizItZFxkXGQ54lMEpuSnPUpz5KZJTJKayLlSLMiykXGRcZF9jIskpqlOgJTNKZpToKU6El' +
    'MpFvIuVItkizItEi4yLrci0kWJF1yRYkWZFpItkp0VKaJTNKbUp0ZKbUpklNyU6OlOkJTalMkpglMUpmlNslNEp0lKbUptSnSkpi' +
    'lNqU2pTNKZpTpaUwSmCU6YlMUpqlNEpolOmpLMi7FIsSLCRcki+3kW8kwCVvqU0SmiU31KaJTBC3kX3Mi0kWki5Ui+6kWZFtItZF' +
    'mRdjkWki5JFmQ6mlMkp1RKbEpqlM0p1VKZkWsi5JFtItZF2WRaJFvIuzSLjIt5F97ItpFiRcZFy8i0SLWRdnkWki2kWZF99ItZF2' +
    'iRYkXIkWZF2mRaSLikW8i4yLaRdqkWyUzSnX0pqlOwJTOSmqU7ClM0pilOxJTYlNqU3xKdjIsyLaRcZFvIt5FvIuEi4SLMi/BSLa' +
    'RdvkWJF+FFMEp2dKbkpolO0JTSSmKi7jIt5FvIspFmRfhyLaKYyU7WlMEpsSmKU7YlNqUwSmxKZJTfkpvyUxSnbkLEi2kW0i2kXd' +
    'pFhIu7yLaRcZFySLVIsVSMSL8UlO5pTJKb+lMEpv6U1SndCLCRbSLkkW8i0kWJF3uRapFpItZF32RYkXfpFilMwlbkpwCUxSmqU4' +
    'BKd5kWUizItpF+TIsyLMiylM0pmlO+JTRKZpTgUpsSm5KYJTJKZJTgUpvEp31RZkX5ci1SLmJFzEi4yLgkWqReDSLEi3kWki/MkX' +
    'FKZJTgkpilOCSmqU3iU2kWki/OkWki8NIsJFvIt5F4aRcJFskXh0i1kWsizIvEyLMizIvFSLEixItJF4qRaSLkkX58i2kWZF+jFP' +
    'FpTVKeMSmiU0SmKU0kpolNEp41KapTBKZpThUpilNqUwSnCpTVKaJTx6UxSm1KcMlNgSuGSmqUwQvGSLSRZkW0i5mRczItJFlIt5' +
    'F46RayLeRbyL9mRZkWZFxkWJFiRapF49KmaUzSnmUpilPMJTzSUxkL9uRbSLKReSkWki2kWZFpItJF5OReTkWki0kXlJFxkXlJFm' +
    'RbSLhItpF+7IaJTJKZJTh0pw6UySmqUzIvLSLMi2kXmJFokW8izIt5FiRYSLjIvMpF+/IbEpqlM0pglPTJT1CUzSmki0kX8EizIv' +
    'OJFvItJFilMUpmlOISnEJTFKZJTiUpxKUzSmqU0SnrUpilNhFrItZFpIuEi8/IsyLEUxSmiUxSnFJTipKapT2KUxSmKU2pT2CUyS' +
    'mKU0QvRyLEi9JIsSLMi/lkXpJFpIuSRelkWJFhIuEi9PIvTyLKRapFvIv5pFpIuSRYkWsi/nkWEi3kWki5qRc1IsyLMRf0SLMizI' +
    'tpFrIvVSLEixIvVyLaRerkWJFwkX9KRYSLSRaSL10izIspFmRewkWZF6+RevkWSLEixIvYpFlIuEi1kXsZF/UkXCRc3IubSLSRc3' +
    'ItpFskXtZFmRYkXtZFrItSL20i3kX9ci4pF/ZIuBKZJTYErVKcWlOLkp9JKuEi2kW0izIt4i9zItki9zIsyL3aRZkWiRe7kXBIve' +
    'yLMizIsSL3si/vkWJFiRbSLMi5yRayLQi5yRc5It0i+BIsJFtIsyLaRfBkXwZFtItZFiRfCSLCRcJF8KRaSL/ORYSLEi1FMUp+JK' +
    'ZpTWSnGJTjJKflIv95F8ORZkWZFmRZkWiRcUi+JItpF8SRa1SNSLnUi51ItpF8eRaSLEiwkWJFokXyZFwSL5Ei56Rc9IsyLnkizE' +
    'Wki+XIuCRZkWJFiRfNkXzZFokX/Ui4SLjIvnSLhIvnSLaRZkXz5F8+RbJFlIskWJFpIv/JFxkXBIufkXCRaSLeRc/IufkWZFpIuE' +
    'ixIugkXQSLWRcJFiRbyLl9iLoEi5+RdDIuhSL6MizIsJFxkX/5igrJMprKEKVPqAIxI/////////////////////////////////' +
    '////////////8Aa/gAAAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACTAATAAEwAAAAAAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAAAAAASYACYAAmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUqp4gpCoZAAAAAABoNAAAA0BoDQNBoaGj1NNGh' +
    'o0aA0aaNADTQaDRoNGg00PU0GjTTQ9Rppppo00D1DTTQ9Mk7oF0BdwFsF24XAXIXnwtwu5BdQR1gtBefCwEdQW4XoAuuC64WguQu' +
    'gLoFkLrhG4XAXQLgLiF1wjIWgWgsBehAtwsBZCyF6GC2CyFgL0QLQXAXAXXC64LYLuQLYLYLqCyF3MFsFsFgL0ULIXWC4hdgLQXc' +
    'wtwuQuAuwC0F6MC9HCwFwFuFuF1gtgvSAtBaCwF6SFoLgFwF1gtwtgvSgtwugXpYWQuAsBemBaC0FsC2C5hbBemhcBbgsBenBdcL' +
    'kLAWQtwtgtgvTwvUAtBaCwFkLYLQLkL1EL1ILYLYLAXqYWguAuAshbhYheqBeqhaC4C4C7ALQWQshcBerBerhbBcBbAshZC6wXrA' +
    'WAtgvWQvWgtwXYCwFuF1AuAvWwtBbhbwvXAvXQuoLQXIXIWgtguQuQvXgsBdYL18L2ALQWgtguuFoLQLkLkL2ELQXAXsQWwW0L2M' +
    'L2QLQXAXXC3BaCyC5C9lCyFgL2YLAWgshbhezhbhbBche0BchaC6wXtIXtQXIWgsBZC2C5BbwvawuQuQvbAshchchbBbBd0CwFgL' +
    '20LIXAW4W4XtwWgvbwsBYBdQXuAXAWAjuoW4W4We6hbhZC4C9xCyFkLrhe5BaC3C2C0F7mFkLrBaC90C0F7qF0C4C2C92C0FsF1B' +
    'bhbBe7hZBcBe8BchcBe8hbhYC5C96CyC2C97CyFuFoL3wLYL30LAXUC0F78FkLkFwFyFuF7+FuFsF8AFwF8CFsC4C+CC2CyF8GF0' +
    'C5C7AXwgWgtwuQuAuAuAugXQLQXwoLcL4cLAXdgsBd2C6wW4XxAW4LIXxIXAXAWgWgvigtwsgviwsBdAshfGBchYC6BaC7uF3cLI' +
    'XxwWAtwtwtwvjwsAvkAtwuQuoLYFgIwF8iC+TC0F3gLAXeAuAvlAsAtwuoLgLIWAvlQtgWQtgvlwsBfMBYC2COsF3kLIXAXeQvmQ' +
    'tAtBbhfNhaC0FoLYLYL5wLcLYLvQXQLrBYC0FoLvQXUF86FoL58LYF3sLvYXIXQFsC+gBYC4CyF9EFyFoLvgWQu+BcBdQXIWQvow' +
    'shdkFgFwFwF2QXQLcF9KC2C2C0F9MFoLQXfgsBYCyF34LIXUF9OFuFoLv4XfwuAvqQtwtwshbgtwtwvqguAsBbBeACyFyFgLwAXA' +
    'W4X1gWQuQvAhdAjwIXAWAvrgshaC3C8EF4ILIWgXAX2AWwXAXAX2QWgtBchYCwFsC+zBbBbBfahZC+0C8GFkF4MLcLQL7cLIW4Wg' +
    'shZC8IF4QLIWQvChcheFC0FuF0C3C+5C3C0FoLwwXhgtBcBaC+7C0FuF96FkFwFoLgLAWAXIX3wL8ALoFwFsFgL78L8ELYLIWQvw' +
    'wtBfhAuAshZCyFsF4cLw4WQtBeIC8QFsFwFuF+MFkLoFsFsFkLoF+OFoLAWQtwsheJC8SC4C/KCyFkLkL8kLQWQtwvywsBeKCwFo' +
    'L8wLxQWQuoL80LAWAXQLxYXiwtAtgXAX6AWQuoLAWwX6IWAXAWQvGBeMC0FoLsugX6gWwWwXAW4X6YWAsBeNC3C8aFgLoF+sCwCy' +
    'FkL9gLQWgWgv2QtBeOC8cFqFgLAXjwWgXQLYLx4X7YLoF2YXZgshdmFuFuC8gFoLAXkAtgtoX7wXAX74XIL+ALoC0F0COAvIheRB' +
    'fxhdAtwtwtBcQXkgtwXkgtBeTBaCyC8mF0BeUC0FoLAXlAv5wsBYC3C0F2gWwWYXaBdoFwC/pCwC3C0FuF5ULyoW4WwWAvLAsAug' +
    'XlgsheXCwCwFtCyF5cLYLgF5gLzALzIXmQv8AtBaC0FoLILkF5oLcLzQWwRtC82C82C3C/zCyFgLALAWQX+oXQF/oF2oXahaC7UF' +
    'qCyF/wF0BaCwFgLzgXnAsgv+gugXIXnQugXnQtwtBeeC88FuC0C1CwFkL/0LkLoC7YLoFkLgLtgu2C0FkLoFgLtwu3C2C6BYC4C2' +
    'hduC7YLuAu4BegC0FgFwF/+LuSKcKEgy/0WAAA==',
);

const runs = [
  [7, 1000],
  [8, 4],
  [9, 5],
  [8, 259],
  [1, 260],
].flatMap(([value, count]) => new Array<number>(count as number).fill(value as number));

test('runs, all byte values, and several blocks', () => {
  expect([...bunzip2(RUNS, LIMIT)]).toEqual(runs);
  expect([...bunzip2(ALL_VALUES, LIMIT)]).toEqual(Array.from({ length: 768 }, (_, index) => index & 255));
  const blocks = bunzip2(BLOCKS, LIMIT);
  expect(blocks.length).toBe(250_000);
  expect(blocks.every((value, index) => value === ((((index % 1000) ** 2) >> 8) & 255))).toBe(true);
});

test('streams in a row are one file, and what follows them is left out', () => {
  const both = Uint8Array.from([...RUNS, ...ALL_VALUES, 0, 0, 0]);
  expect(bunzip2(both, LIMIT).length).toBe(runs.length + 768);
});

test('a stream that is cut anywhere is refused', () => {
  for (let length = 0; length < RUNS.length; length++) {
    expect(() => bunzip2(RUNS.subarray(0, length), LIMIT), `${length} bytes`).toThrow(Bzip2Error);
  }
});

test('a bit that flipped never yields other bytes than were packed', () => {
  // A step without a common factor with 8 flips every bit of a byte in turn.
  const step = rounds(11, 1);
  for (const whole of [RUNS, ALL_VALUES]) {
    const wanted = bunzip2(whole, LIMIT);
    let [tried, refused] = [0, 0];
    for (let bit = 0; bit < whole.length * 8; bit += step) {
      tried++;
      const damaged = Uint8Array.from(whole);
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      try {
        // A few bits carry nothing: the filling of the last byte, a code that no symbol uses, the block size.
        expect(bunzip2(damaged, LIMIT), `bit ${bit}`).toEqual(wanted);
      } catch (error) {
        expect(error, `bit ${bit}`).toBeInstanceOf(Bzip2Error);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(tried * 0.75);
  }
});

test('output beyond the limit is refused, output at the limit is not', () => {
  expect(bunzip2(BLOCKS, () => 250_000).length).toBe(250_000);
  expect(() => bunzip2(BLOCKS, () => 249_999)).toThrow(TooLongError);
  expect(() => bunzip2(RUNS, () => 100)).toThrow(TooLongError);
});
