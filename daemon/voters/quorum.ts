/** What a majority of these voters lacks. */
export interface QuorumFault {
  readonly voters: readonly number[];
  readonly answering: readonly number[];
  readonly needed: number;
}

/** Null where those that answer now are a majority of the voters. */
export function quorumFault(
  voters: readonly number[],
  answers: (member: number) => boolean,
): QuorumFault | null {
  const answering = voters.filter(answers);
  const needed = Math.floor(voters.length / 2) + 1;
  return answering.length >= needed ? null : { voters, answering, needed };
}

/**
 * The first fault of a change of voters, which passes through a joint membership: those that answer must be a majority of
 * the voters before and of the voters after (thesis, section 4.3).
 */
export function faultOfChange(
  before: readonly number[],
  after: readonly number[],
  answers: (member: number) => boolean,
): QuorumFault | null {
  return quorumFault(before, answers) ?? quorumFault(after, answers);
}

/** E.g. `of the voters n1, n2, n3 only n1 answers: 2 are needed`. */
export function describeQuorumFault(fault: QuorumFault, nameOf: (member: number) => string): string {
  const names = (members: readonly number[]): string => members.map(nameOf).join(", ");
  const { voters, answering, needed } = fault;
  const those =
    answering.length === 0
      ? "none answers"
      : `only ${names(answering)} ${answering.length === 1 ? "answers" : "answer"}`;
  return `of the voters ${names(voters)} ${those}: ${needed} ${needed === 1 ? "is" : "are"} needed`;
}
