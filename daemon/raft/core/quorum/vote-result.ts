/** The state of an election: still open, lost whatever comes, or won. */
export type VoteResult = "VotePending" | "VoteLost" | "VoteWon";
