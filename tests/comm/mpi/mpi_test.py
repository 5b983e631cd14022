#!/usr/bin/env python3
"""Ranks that an MPI starts: what every communicator must do, and all the ways in which one of them
fails. Each job must end by itself, with the right words, and leave no process behind.

Usage: mpi_test.py MPIEXEC openmpi|mpich COMM_RANKS
"""
import os
import signal
import subprocess
import sys
import unittest

import jobs

MPIEXEC, NAME, PROGRAM = sys.argv[1:4]
PRODUCT = {"openmpi": "Open MPI", "mpich": "MPICH"}[NAME]


def run(ranks, scenario, **options):
    return jobs.run([*jobs.launcher(MPIEXEC, NAME), "-n", str(ranks)], PROGRAM, scenario, **options)


class Ranks(unittest.TestCase):
    def ended(self, job, status, *lines):
        self.assertEqual(job.left, [], str(job))
        self.assertEqual(job.status, status, str(job))
        for line in lines:
            self.assertIn(line, job.said.splitlines(), str(job))

    def test_every_call(self):
        for ranks in (2, 3, 4):
            self.ended(run(ranks, "calls"), 0,
                       *(f"rank {r} of {ranks}: every call was right" for r in range(ranks)))

    def test_messages_are_cut(self):
        self.ended(run(3, "calls", largest=1023), 0,
                   *(f"rank {r} of 3: every call was right" for r in range(3)))

    def test_who_gives_up_says_why(self):
        for scenario in ("gives-up", "gives-up-large"):
            job = run(4, scenario)
            self.ended(job, 1, "rank 1 ended: the disk is full",
                       *(f"rank {r} ended: rank 1: the disk is full" for r in (0, 2, 3)))
            self.assertLess(job.seconds, 15, str(job))

    def test_who_fails_without_a_word(self):
        self.ended(run(2, "throws"), 1, "rank 1 ended: not told", "rank 0 ended: rank 1 failed")

    def test_who_does_not_come_is_named(self):
        job = run(4, "does-not-come", limit_ms=500)
        self.ended(job, 1, *(f"rank {r} ended: ranks: 3 did not come within 0.5 s" for r in range(3)))
        self.assertLess(job.seconds, 20, str(job))

    def test_who_leaves_early_is_named(self):
        job = run(3, "leaves-early", limit_ms=500)
        self.ended(job, 1, *(f"rank {r} ended: ranks: 2 did not come within 0.5 s" for r in range(2)))

    def test_who_comes_late_but_in_time(self):
        self.ended(run(2, "comes-late", limit_ms=5000), 0, "rank 0 of 2: all came")

    def test_who_ends_badly_after_its_last_call(self):
        self.ended(run(2, "ends-badly"), 1)

    def test_a_killed_rank_ends_the_job(self):
        for ranks in (2, 4):
            job = run(ranks, "is-killed")
            self.assertEqual(job.left, [], str(job))
            self.assertNotEqual(job.status, 0, str(job))
            self.assertLess(job.seconds, 15, str(job))

    def test_a_killed_launcher_ends_the_ranks(self):
        def kill(process, _):
            self.assertEqual(process.stdout.readline(), "all are here\n")
            process.kill()
        job = run(2, "waits", limit_ms=2000, meanwhile=kill, patience=20)
        self.assertEqual(job.left, [], str(job))

    def test_ctrl_c_ends_the_ranks(self):
        def interrupt(process, _):
            self.assertEqual(process.stdout.readline(), "all are here\n")
            process.send_signal(signal.SIGINT)
        # Its status is the launcher's; MPICH's is 0 at times.
        job = run(2, "waits", meanwhile=interrupt)
        self.assertEqual(job.left, [], str(job))
        self.assertLess(job.seconds, 15, str(job))

    def test_ranks_that_do_not_find_each_other(self):
        """Another MPI's mpiexec, or none: MPI sees one rank, and each would train for itself."""
        sign = {"openmpi": "OMPI_COMM_WORLD_SIZE", "mpich": "PMI_SIZE"}[NAME]
        ran = subprocess.run([PROGRAM, "calls", "1000", "1000", "alone"], capture_output=True,
                             text=True, timeout=jobs.TIMEOUT, env={**os.environ, sign: "3"})
        self.assertEqual(ran.returncode, 1, ran)
        self.assertIn(f"rank -1 ended: MPI: 3 ranks were started, but {PRODUCT} sees 1: it is not "
                      f"the MPI that started them", ran.stdout)

    def test_alone_it_is_no_rank(self):
        self.ended(run(1, "calls"), 1, "rank -1 ended: comm_ranks: started alone")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
