"""What every comparison with a peer shares: where llmap is, how it is started, how times become one line.

A comparison runs the peer and llmap on the same data, in turn, in one run on one machine, and prints a ratio. Absolute
times are printed beside it because a ratio without them cannot be checked; they say little about another machine.
"""
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLASSES = os.path.join(ROOT, "llmap-core", "target", "classes")


def classpath():
    """llmap-core's classes and its dependencies, as Maven resolves them; built before, offline now."""
    if not os.path.isdir(CLASSES):
        sys.exit("build first: mvn -pl llmap-core compile")
    listing = os.path.join(ROOT, "llmap-core", "target", "bench-classpath.txt")
    if not os.path.exists(listing):
        subprocess.run(
            ["mvn", "-q", "-o", "-pl", "llmap-core", "dependency:build-classpath", "-DincludeScope=runtime",
             "-Dmdep.outputFile=" + listing], cwd=ROOT, check=True)
    with open(listing) as f:
        return CLASSES + os.pathsep + f.read().strip()


def java(source, *arguments, vector=True, jvm=()):
    """Runs a single-file program of this folder with llmap-core on its class path and returns what it prints."""
    command = ["java", *(["--add-modules", "jdk.incubator.vector"] if vector else []), *jvm,
               "-cp", classpath(), os.path.join(ROOT, "tools", "bench", source), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def best(call, rounds):
    """The shortest of several runs, in seconds: what disturbs a run only makes it longer."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def work_folder():
    """A new folder for the data both sides read; the caller removes it."""
    return tempfile.mkdtemp(prefix="llmap-bench-")


def remove(folder):
    shutil.rmtree(folder)


def machine():
    """One line that says where the figures were measured."""
    model = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as f:
            lines = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
        model = lines[0] if lines else model
    version = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True).stderr.splitlines()[0]
    return "%d cores of %s, %s, Python %s" % (os.cpu_count(), model, version, platform.python_version())


def row(job, peer, peer_seconds, llmap_seconds, goal):
    """One line of the table: a ratio below the goal is a goal met."""
    ratio = llmap_seconds / peer_seconds
    print("| %s | %s %.3f s | %.3f s | %.2f | %s | %s |"
          % (job, peer, peer_seconds, llmap_seconds, ratio, goal, "met" if ratio <= goal else "missed"))
    return ratio
