#!/bin/sh
# ./install.sh demo   gets everything, starts three daemons on this machine and runs a training job on them
set -eu
cd "$(dirname "$0")"

DEMO_DIR=${GPUMESH_DEMO_DIR:-$PWD/.gpumesh-demo}

usage() {
  echo "usage: ./install.sh demo" >&2
  exit 2
}

gpumesh() {
  node_modules/.bin/node cli/main.ts --context "$DEMO_DIR/context" "$@"
}

# The job file of an example, with the example's folder on this machine.
example() {
  sed "s|/srv/$1|$PWD/examples/$1|; s|/usr/bin/node|$PWD/node_modules/.bin/node|" "examples/$1/job.yaml"
}

can_run_mpi() {
  command -v mpirun >/dev/null && /usr/bin/python3 -c "import mpi4py, numpy" 2>/dev/null
}

demo() {
  sh test/set-up.sh
  echo "== Three daemons on this machine, each as if it were a VM"
  node_modules/.bin/node cli/main.ts up --dev 3 --data "$DEMO_DIR"
  gpumesh node list

  if can_run_mpi; then
    echo "== A data-parallel training job over MPI, one rank on each of three nodes"
    training=mpi-training
  else
    echo "== A data-parallel training job on three nodes. For the one over MPI, these packages are missing:"
    echo "   openmpi-bin python3-mpi4py python3-numpy"
    training=plain-training
  fi
  job=$(example "$training" | gpumesh --output json job submit -f - | sed -n 's/.*"jobId": *\([0-9]*\).*/\1/p')
  gpumesh job logs -f "$job"
  code=0
  gpumesh job wait "$job" || code=$?
  gpumesh job show "$job"
  cat <<END

The mesh goes on running. Try next:

  export GPUMESH_CONTEXT=$DEMO_DIR/context
  npm run -s gpumesh -- run --nodes 3 -- 'echo hello from node \$GPUMESH_NODE'
  npm run -s gpumesh -- job list
  npm run -s gpumesh -- up --stop --data $DEMO_DIR     (ends the daemons)

END
  exit "$code"
}

case "${1:-}" in
  demo) demo ;;
  *) usage ;;
esac
