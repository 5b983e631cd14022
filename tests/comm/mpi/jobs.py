"""Starts ranks by an MPI, and looks for what they leave behind."""
import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

# Of a job that must end by itself: hanging is what these tests are about.
TIMEOUT = 60


def launcher(mpiexec, name):
    if name == "openmpi":
        return [mpiexec, "--allow-run-as-root", "--oversubscribe"]
    return [mpiexec]


def of_token(token, program=None):
    """Processes whose command line has the word, and begins with `program`; one that is dead has no
    command line any more."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if program and words[0] != program.encode():
            continue
        if token.encode() in words and int(folder.name) != os.getpid():
            found.append(int(folder.name))
    return found


class Ended:
    def __init__(self, status, said, seconds, left):
        self.status, self.said, self.seconds, self.left = status, said, seconds, left

    def __str__(self):
        return (f"status {self.status} after {self.seconds:.1f} s, left: {self.left or 'nothing'}, "
                f"said:\n{self.said}")


def wait_for_none(token, seconds, program=None):
    until = time.monotonic() + seconds
    while of_token(token, program) and time.monotonic() < until:
        time.sleep(0.1)
    return of_token(token, program)


def end(process):
    """With whoever else holds its pipe."""
    os.killpg(process.pid, signal.SIGKILL)
    for pid in of_token(process.args[-1]):
        os.kill(pid, signal.SIGKILL)


def run(command, program, scenario, limit_ms=20000, largest=1 << 30, environment=None,
        meanwhile=None, patience=10):
    """`meanwhile` gets the started process. What still lives `patience` seconds after it is killed,
    and counts as left."""
    token = f"token-{uuid.uuid4()}"
    begin = time.monotonic()
    process = subprocess.Popen(
        [*command, program, scenario, str(limit_ms), str(largest), token],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, env={**os.environ, **(environment or {})})
    try:
        if meanwhile:
            meanwhile(process, token)
        said, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        end(process)
        said = "HANGS: " + str(process.communicate()[0])
    except BaseException:
        end(process)
        raise
    seconds = time.monotonic() - begin
    left = wait_for_none(token, patience)
    for pid in left:
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
    return Ended(process.returncode, said, seconds, left)
