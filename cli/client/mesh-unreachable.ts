/** One address of the mesh and what became of the newest try on it. */
export interface TriedAddress {
  readonly address: string;
  /** One line. */
  readonly error: string;
  /** True when a daemon answered there, but could not carry out the call: most often there is no leader. */
  readonly answered: boolean;
}

/** No daemon of the mesh carried out the call in the time it had. Nothing is known of its effect. */
export class MeshUnreachable extends Error {
  override readonly name = "MeshUnreachable";
  readonly tried: readonly TriedAddress[];
  readonly forMs: number;

  constructor(meshId: string, tried: readonly TriedAddress[], forMs: number) {
    super(describe(meshId, tried, forMs));
    this.tried = tried;
    this.forMs = forMs;
  }
}

function describe(meshId: string, tried: readonly TriedAddress[], forMs: number): string {
  const seconds = (forMs / 1_000).toFixed(1);
  const leaderless = tried.some(({ answered }) => answered);
  const what = leaderless
    ? `mesh ${meshId} answers, but no daemon could carry out the call for ${seconds} s:`
    : `mesh ${meshId} could not be reached for ${seconds} s:`;
  const lines = tried.map(({ address, error }) => `  ${address}: ${error}`);
  return [what, ...lines, leaderless ? CHECK_LEADER : CHECK_NETWORK].join("\n");
}

const CHECK_LEADER =
  "Check that more than half of the mesh's voters run and reach each other; jobs that run are not harmed meanwhile.";
const CHECK_NETWORK =
  "Check that a daemon runs at one of these addresses, that a firewall lets its port through, and that this is the mesh you mean (--context, GPUMESH_CONTEXT).";
