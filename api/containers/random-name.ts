import type { Random } from "../../core/random.ts";

/** Names for containers that are given none: a word for how somebody is, and the name of somebody. */

const MOODS =
  "able airy alert apt awake balmy bold brave breezy bright brisk calm candid chatty cheery civil clear clever cosy crisp dapper daring deft eager earnest easy elated fair fearless fleet fond frank free fresh gentle gifted glad golden graceful grand hardy hearty honest hopeful humble jolly jovial keen kind lively loyal lucid lucky mellow merry mighty mild modest neat nimble noble patient placid plucky polite prompt proud quick quiet ready robust rosy sage serene sharp sincere snug sober spry steady stoic sunny swift tender tidy trusty upbeat valiant vivid warm wise witty zesty".split(
    " ",
  );
const PEOPLE =
  "abel aiken alhazen almeida ampere anning arago archimedes aryabhata avicenna ayrton babbage banach banneker bartik bell bernoulli blackwell bohr boole bose brahe burnell cannon cantor carson cauchy cavendish cayley celsius chandra copernicus cori coulomb cray curie darwin dijkstra dirac easley edison einstein elion erdos euclid euler faraday fermat fermi feynman fibonacci flamsteed fourier franklin galileo gauss germain goldberg goodall hamilton haslett hawking heisenberg hertz hilbert hodgkin holberton hooke hopper hubble hypatia jackson jemison jennings johnson joliot joule kalam keller kepler khorana knuth kovalevskaya lamarr lamport leavitt leibniz liskov lovelace lumiere margulis maxwell mayer mccarthy meitner mendel mestorf mirzakhani moore morse napier nash newton nobel noether noyce panini pascal pasteur payne perlman pike planck poincare ptolemy raman ramanujan rhodes riemann ritchie rosalind rubin saha sammet shannon shaw sinoussi snyder somerville sutherland swartz tesla thompson tu turing varahamihira vaughan villani volhard volta wiles wilson wing wozniak wright wu yalow yonath".split(
    " ",
  );

/** A name nobody has; `attempt` counts those that were taken: from the second on a digit is added. */
export function randomName(random: Random, attempt: number): string {
  const pick = (words: readonly string[]) =>
    words[Math.floor(random.next() * words.length)] ?? "some";
  const digit = attempt === 0 ? "" : String(Math.floor(random.next() * 10 ** attempt));
  return `${pick(MOODS)}_${pick(PEOPLE)}${digit}`;
}
