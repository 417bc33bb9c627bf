"""Where things are, and how they come to be there."""
import os
import signal
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, ".build", "release")
PYTHON = os.path.join(TOP, ".deps", "bench-venv", "bin", "python")


def fail(message):
    """Ends the script; whatever it has started ends with it, for it is started in `with` blocks."""
    sys.exit(f"{os.path.basename(sys.argv[0])}: {message}")


def product(name):
    """An executable of this project. PYRALOG_BINARY names a server that need not be built."""
    named = os.environ.get("PYRALOG_BINARY") if name == "pyralog" else None
    path = os.path.abspath(named) if named else os.path.join(BUILD, name)
    if not os.path.exists(path):
        fail(f"{path} is not there: swift build -c release --product {name}")
    return path


def prepare(*products):
    """Installs the peers and builds what is measured. BENCH_PREPARED=1 says that both is done."""
    # Ends as it would by itself: `with` blocks end what they have started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.environ.get("BENCH_PREPARED"):
        return
    subprocess.run([os.path.join(TOP, "scripts", "bootstrap"), "--bench"], check=True)
    for name in products:
        built = subprocess.run(["swift", "build", "-c", "release", "--product", name], cwd=TOP, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if built.returncode:
            fail(f"{name} is not built:\n{built.stdout}")


def run_in_environment():
    """Starts the script again in the benchmarks' own Python environment, which has the peers' clients and plots."""
    if os.path.realpath(sys.prefix) != os.path.realpath(os.path.dirname(os.path.dirname(PYTHON))):
        if not os.path.exists(PYTHON):
            subprocess.run([os.path.join(TOP, "scripts", "bootstrap"), "--bench"], check=True)
        os.execv(PYTHON, [PYTHON, *sys.argv])


def duckdb_library():
    directory = os.path.join(TOP, ".deps", "duckdb")
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    return os.path.join(directory, names[-1]) if names else fail("DuckDB's library is not there: scripts/bootstrap")
