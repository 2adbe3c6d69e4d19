#!/bin/sh
# watcher.sh STATE_FOLDER SHIMS_CGROUP: ends the commands whose shim or guard is gone. One per state folder.
#
# It looks once a second, outlives the daemon, and leaves when no command is unfinished. Its record is removed before
# the last look, and whoever starts a command looks for the record after the command's shim is on record: so either the
# watcher sees the command, or the starter sees that a watcher is wanted.

main() {
  state=$1
  exec 9>"$state/watcher.lock"
  flock -w 3 9 || return 0
  [ -z "$2" ] || echo 0 >"$2/cgroup.procs"
  echo -900 >/proc/self/oom_score_adj
  trap : TERM HUP INT
  read -r boot_id </proc/sys/kernel/random/boot_id
  read_stat self
  my_start=$stat_start
  while :; do
    echo "$boot_id $$ $my_start" >"$state/watcher"
    while look; do sleep 1 9>&-; done
    rm -f "$state/watcher"
    look || return 0
  done
}

# Looks after every unfinished command. Fails when there is none.
look() {
  unfinished=1
  for claim in "$state"/parts/*/commands/*/shim; do
    dir=${claim%/shim}
    [ -e "$claim" ] && ! [ -e "$dir/exit" ] || continue
    unfinished=0
    claim_boot=
    read -r claim_boot shim_pid shim_start <"$claim"
    # A claim is one short write: one that is still empty is a second old at most.
    [ -n "$claim_boot" ] || continue
    if [ "$claim_boot" != "$boot_id" ] || ! is_alive "$shim_pid" "$shim_start"; then
      (end_lost) 9>&-
    elif [ -s "$dir/started" ]; then
      read -r _ guard_pid guard_start _ <"$dir/started"
      is_alive "$guard_pid" "$guard_start" || (end_unguarded) 9>&-
    fi
  done
  return "$unfinished"
}

# No one else will record this exit. The mark first: a command that is about to start sees it, or is killed.
end_lost() {
  . "$dir/launch"
  : >"$dir/lost"
  clear_group || return
  read_clock
  started=$now
  [ -s "$dir/started" ] && read -r _ _ _ _ _ started <"$dir/started"
  record_exit 137 shim-lost "$started" "$now" "the shim was gone; the watcher ended the command"
}

# The shim lives and will record the exit. It marks that the command returned before it ends the guard by itself.
end_unguarded() {
  [ -e "$dir/returned" ] && return
  . "$dir/launch"
  [ -e "$dir/ending" ] || echo shim-lost >"$dir/ending"
  kill_group
}

. "${0%/*}/group.sh"
main "$1" "$2"; exit
