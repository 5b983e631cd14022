#!/usr/bin/env python3
"""Ranks on two hosts over TCP: two network namespaces, of host names of their own, with a cable
(veth) between them. Every byte goes over the cable, which is counted; and when it is pulled out both
sides end by themselves. Ends with 77 where this machine makes no namespaces, saying why.

Usage: hosts_test.py MPIEXEC openmpi|mpich COMM_RANKS
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import jobs

MPIEXEC, NAME, PROGRAM = sys.argv[1:4]
HOSTS = [f"glia{os.getpid()}{side}" for side in "ab"]
ADDRESSES = ["10.231.77.1", "10.231.77.2"]
CABLE = "gliacable"


def skip(why):
    print(f"hosts_test: skipped: {why}")
    sys.exit(77)


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout


def on(host, *command):
    """A command on a host, of that name."""
    return ["ip", "netns", "exec", host, "unshare", "--uts", "sh", "-c",
            f'hostname {host}; exec "$@"', "sh", *command]


def make_hosts():
    for host in HOSTS:
        ip("netns", "add", host)
        ip("-n", host, "link", "set", "lo", "up")
    ip("-n", HOSTS[0], "link", "add", CABLE, "type", "veth", "peer", "name", CABLE, "netns", HOSTS[1])
    for host, address in zip(HOSTS, ADDRESSES):
        ip("-n", host, "address", "add", f"{address}/24", "dev", CABLE)
    cable("up")
    ip("-n", HOSTS[1], "link", "set", CABLE, "up")
    # A cable carries nothing at once: until a host says that nobody listens there.
    refused = (f"import errno, socket; s = socket.socket(); s.settimeout(1); "
               f"raise SystemExit(s.connect_ex(('{ADDRESSES[1]}', 9)) != errno.ECONNREFUSED)")
    until = time.monotonic() + 20
    while (any("state UP" not in ip("-n", host, "link", "show", CABLE) for host in HOSTS) or
           subprocess.run(on(HOSTS[0], sys.executable, "-c", refused), check=False).returncode):
        if time.monotonic() > until:
            raise RuntimeError("the cable between two namespaces does not come up")
        time.sleep(0.05)


def remove_hosts():
    for host in HOSTS:
        subprocess.run(["ip", "netns", "delete", host], capture_output=True, check=False)


def bytes_sent():
    return sum(int(subprocess.run(
        on(host, "cat", f"/sys/class/net/{CABLE}/statistics/tx_bytes"), capture_output=True,
        text=True, check=True).stdout) for host in HOSTS)


def cable(state):
    ip("-n", HOSTS[0], "link", "set", CABLE, state)


class Hosts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        # In place of ssh: AGENT [OPTION…] ADDRESS COMMAND…
        cls.agent = cls.folder / "agent"
        cls.agent.write_text(
            "#!/bin/sh\n"
            'while [ "${1#-}" != "$1" ]; do shift; done\n'
            f'case $1 in {ADDRESSES[0]}) host={HOSTS[0]};; {ADDRESSES[1]}) host={HOSTS[1]};; '
            'esac\nshift\n'
            'exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*" </dev/null\n')
        cls.agent.chmod(0o755)

    def setUp(self):
        self.addCleanup(remove_hosts)
        make_hosts()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_ranks(self, scenario, **options):
        if NAME == "openmpi":
            command = [MPIEXEC, "--allow-run-as-root", "--oversubscribe", "--mca",
                       "plm_rsh_agent", str(self.agent), "--mca", "btl", "tcp,self", "--mca", "pml",
                       "ob1", "--mca", "btl_tcp_if_include", CABLE, "--mca", "oob_tcp_if_include",
                       CABLE, "--host", ",".join(f"{a}:1" for a in ADDRESSES), "-n", "2"]
            environment = {}
        else:
            command = [MPIEXEC, "-launcher", "ssh", "-launcher-exec", str(self.agent), "-iface", CABLE,
                       "-hosts", ",".join(ADDRESSES), "-ppn", "1", "-n", "2"]
            environment = {"UCX_TLS": "tcp,self", "UCX_NET_DEVICES": CABLE}
        return jobs.run(on(HOSTS[0], *command), PROGRAM, scenario, environment=environment,
                        patience=30, **options)

    def test_every_call_goes_over_the_cable(self):
        before = bytes_sent()
        job = self.run_ranks("calls")
        self.assertEqual((job.status, job.left), (0, []), str(job))
        for rank in range(2):
            self.assertIn(f"rank {rank} of 2: every call was right", job.said)
        # Of 300001 bytes alone, three turns of three calls, a block each way.
        self.assertGreater(bytes_sent() - before, 3 * 5 * 300001)

    def test_who_gives_up_says_why(self):
        job = self.run_ranks("gives-up")
        self.assertEqual((job.status, job.left), (1, []), str(job))
        self.assertIn("rank 0 ended: rank 1: the disk is full", job.said)

    def test_a_cable_that_is_pulled_out(self):
        """The ranks on both sides end by themselves. mpiexec cannot ask the other side for its end
        before the cable is back; Open MPI's waits for that."""
        seconds = []

        def pull(process, token):
            for line in process.stdout:
                if line == "exchanged\n":
                    break
            cable("down")
            begin = time.monotonic()
            self.assertEqual(jobs.wait_for_none(token, 40, program=PROGRAM), [])
            seconds.append(time.monotonic() - begin)
            cable("up")
        job = self.run_ranks("streams", limit_ms=3000, meanwhile=pull)
        self.assertEqual(job.left, [], str(job))
        self.assertNotEqual(job.status, 0, str(job))
        self.assertIn("rank 0 ended: ranks: 1 did not come within 3 s", job.said)
        self.assertGreater(seconds[0], 2, str(job))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leaves no hosts behind
    if not shutil.which("ip"):
        skip("found no command ip (iproute2)")
    if os.geteuid() != 0:
        skip("network namespaces need root")
    try:
        ip("netns", "add", HOSTS[0])
    except subprocess.CalledProcessError as error:
        skip(f"no network namespaces here: {error.stderr.strip()}")
    finally:
        remove_hosts()
    try:
        unittest.main(argv=sys.argv[:1])
    finally:
        remove_hosts()
