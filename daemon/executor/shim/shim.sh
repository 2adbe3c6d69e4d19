#!/bin/sh
# shim.sh COMMAND_FOLDER: runs one command and outlives the daemon that asked for it.
#
# Two processes. The shim itself has the command as its child and records how it ended. The guard, a fork of the shim,
# ends the group at the deadline or on request, and at once when the shim is gone. A node-wide watcher ends the group
# when the guard is gone. The command folder holds
#   launch   what to run, written before the shim starts; sourced
#   shim     boot id, pid and start time of the shim: made once, so a command never starts twice
#   started  boot id, guard's pid and start time, command's pid and start time, instant: written just before exec
#   stop     the instant by which the command must be killed on request; may be replaced by an earlier one
#   ending   why the guard ends the group: stopped or deadline
#   returned the command itself has ended, and the guard is no longer needed
#   lost     the shim has been given up: nothing may start any more
#   exit     code, ended by, started, ended, reason: made once, when nothing of the group is left
#
# Everything is inside functions and the last line leaves, so that replacing this file never disturbs a running shim.

main() {
  dir=$1
  part=${dir%/commands/*}
  . "$dir/launch"
  [ -z "$shims_cgroup" ] || echo 0 >"$shims_cgroup/cgroup.procs"
  read -r oom_score </proc/self/oom_score_adj
  echo -900 >/proc/self/oom_score_adj
  [ "$oom_score" -ge 0 ] || oom_score=0

  read -r boot_id </proc/sys/kernel/random/boot_id
  read_stat self
  shim_start=$stat_start
  # With noclobber the file is made exclusively: of two shims one goes on.
  set -C
  echo "$boot_id $$ $shim_start" >"$dir/shim" || return 0
  set +C

  deadline=
  read_deadline
  read_clock
  started=$now
  if [ -z "$deadline" ] || [ "$deadline" -le "$now" ]; then
    record_exit 126 deadline "$now" "$now" "no deadline lies ahead"
    return
  fi
  for file in "$out_file" "$err_file"; do
    true >>"$file" || {
      record_exit 126 itself "$now" "$now" "cannot write $file"
      return
    }
  done
  if ! [ -d "$work_dir" ] || ! [ -x "$work_dir" ]; then
    record_exit 126 itself "$now" "$now" "cannot enter $work_dir"
    return
  fi

  # A signal that the shell traps is reset in the command; one that it ignores would be ignored there too.
  trap : TERM HUP INT
  # Ignored until the guard has its own trap, so that an early request to look cannot kill it.
  trap '' USR1
  guard &
  guard=$!
  trap : USR1
  read_stat "$guard"
  guard_start=$stat_start

  # In the foreground: a background child would have INT and QUIT ignored, for it and for all that it starts.
  (command_child)
  code=$?

  : >"$dir/returned"
  kill -s KILL "$guard"
  ended_by=itself
  [ -e "$dir/ending" ] && read -r ended_by <"$dir/ending"
  reason=
  clear_group || reason="processes of the command are left that cannot be killed"
  [ -s "$dir/started" ] && read -r _ _ _ _ _ started <"$dir/started"
  read_clock
  read_deadline
  [ "$deadline" -gt "$now" ] || kill_token_carriers
  record_exit "$code" "$ended_by" "$started" "$now" "$reason"
  [ -n "$cgroup" ] || outstay
}

# Without a cgroup, what left the command's session outlives it. Someone has to keep the deadline for that, until the
# daemon has seen the part gone.
outstay() {
  has_token_carriers || return 0
  until [ "$deadline" -le "$now" ]; do
    if [ -e "$part/gone" ] || ! [ -e "$part" ]; then return 0; fi
    sleep 0.2
    read_deadline
    read_clock
  done
  kill_token_carriers
}

# Turns into the command. Whoever gives the command up writes a mark and then kills the group: this side joins the group
# and then looks for the marks, so one of the two always sees the other.
command_child() {
  [ -z "$cgroup" ] || echo 0 >"$cgroup/cgroup.procs" || exit 126
  echo "$oom_score" >/proc/self/oom_score_adj
  read_stat self
  read_clock
  echo "$boot_id $guard $guard_start $stat_pid $stat_start $now" >"$dir/started"
  if [ -e "$dir/lost" ] || [ -e "$part/ended" ]; then exit 126; fi
  cd -- "$work_dir" || exit 126
  exec </dev/null >>"$out_file" 2>>"$err_file"
  run
}

guard() {
  trap : USR1 TERM HUP
  ending=
  kill_at=
  while is_alive "$$" "$shim_start"; do
    read_deadline
    read_clock
    stop_at=
    [ -e "$dir/stop" ] && read -r stop_at <"$dir/stop"
    if [ -z "$ending" ]; then
      if [ -n "$stop_at" ]; then
        begin_ending stopped "$stop_at"
      elif [ "$((deadline - term_grace))" -le "$now" ]; then
        begin_ending deadline "$deadline"
      fi
    fi
    if [ -n "$ending" ]; then
      # The kill only ever comes nearer: a deadline that moves on after TERM was sent revives nothing.
      [ -n "$stop_at" ] && [ "$stop_at" -lt "$kill_at" ] && kill_at=$stop_at
      [ "$deadline" -lt "$kill_at" ] && kill_at=$deadline
      if [ "$kill_at" -le "$now" ]; then
        kill_group
        [ "$deadline" -gt "$now" ] || kill_token_carriers
      fi
    fi
    pause
  done
  kill_group
}

# begin_ending WHY KILL_AT
begin_ending() {
  ending=$1
  kill_at=$2
  echo "$ending" >"$dir/ending"
  # A stopped process acts on TERM only when it goes on.
  signal_group TERM CONT
}

# Sleeps 0.2 s, or less when the next thing to do comes earlier. The trap on USR1 ends it at once.
pause() {
  next=$kill_at
  [ -n "$ending" ] || next=$((deadline - term_grace))
  left=$((next - now))
  if [ "$left" -gt 20 ]; then
    left=20
  elif [ "$left" -le 0 ]; then
    left=2
  fi
  if [ "$left" -lt 10 ]; then left=0$left; fi
  sleep "0.$left" &
  wait "$!"
}

# The last deadline that could be read stands: a file that vanished extends nothing.
read_deadline() {
  read_value=
  [ -e "$deadline_file" ] && read -r read_value <"$deadline_file"
  case $read_value in
    '' | *[!0-9]*) ;;
    *) deadline=$read_value ;;
  esac
}

. "${0%/*}/group.sh"
main "$1"; exit
