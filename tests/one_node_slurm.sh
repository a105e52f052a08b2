#!/bin/bash
# Starts a Slurm of one node, with two GPUs that are none, and runs a command in it. It needs namespaces of its own:
#   unshare --net --mount --pid --fork --mount-proc --kill-child tests/one_node_slurm.sh FOLDER COMMAND...
# Ends with 77 where it cannot be started.
set -u
folder=$1
shift
mkdir -p "$folder"/{state,spool,munge}
host=$(hostname -s)

start() {
  ip link set lo up && ip link add one type veth peer name two || return
  ip addr add 10.9.8.1/24 dev one && ip link set one up && ip link set two up || return
  for covered in /sys/fs/cgroup /etc/slurm /run; do mount -t tmpfs none "$covered" || return; done
  cat > /etc/slurm/slurm.conf << END
ClusterName=one
SlurmctldHost=$host(10.9.8.1)
SlurmUser=root
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
GresTypes=gpu
NodeName=$host NodeAddr=10.9.8.1 CPUs=2 Gres=gpu:2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
  printf 'CgroupPlugin=cgroup/v1\n' > /etc/slurm/cgroup.conf
  printf 'Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n' > /etc/slurm/gres.conf
  head -c 1024 /dev/urandom > "$folder/munge/key"
  chown root "$folder/munge" "$folder/munge/key" && chmod 400 "$folder/munge/key" && chmod 755 "$folder/munge" || return
  munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" || return
  slurmctld && slurmd || return
  for _ in {1..60}; do
    [[ $(sinfo --noheader --format=%T 2> /dev/null) == idle ]] && return
    sleep 0.5
  done
  return 1
}

start > "$folder/start.log" 2>&1 || exit 77
"$@"
