"""The server and its peers, each a process of its own on a free port of loopback, ended with the block it is started in."""
import glob
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from .project import fail, product

VALUE = "a" * 100


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def scratch_directory(parent=None):
    """Goes with everything in it at the end of a `with` block. PostgreSQL's own user may enter it."""
    directory = tempfile.TemporaryDirectory(prefix="pyralog-bench-", dir=parent)
    os.chmod(directory.name, 0o755)
    return directory


class Server:
    """A process, its log and its port. What it writes goes into a directory of its own, and goes with it."""

    name = "server"

    def __init__(self, command, scratch, environment=None):
        self.directory = tempfile.mkdtemp(prefix=self.name + "-", dir=scratch)
        os.chmod(self.directory, 0o755)
        # A setting of somebody's shell is not what is measured.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYRALOG_")}
        log = open(os.path.join(self.directory, "log"), "w")
        with log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory,
                env={**clean, **(environment or {})})
        self.wait_until_ready()

    def is_ready(self):
        socket.create_connection(("127.0.0.1", self.port), 1).close()
        return True

    def wait_until_ready(self, seconds=60):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                if self.is_ready():
                    return
            except OSError:
                pass
            time.sleep(0.002)
        text = self.log_text()
        self.stop()
        fail(f"{self.name} does not start:\n{text}")

    def log_text(self):
        with open(os.path.join(self.directory, "log"), errors="replace") as file:
            return file.read()

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def processor_seconds(self):
        """User and system time so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(") ")[2].split()
        return tuple(int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:13])

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def end(self, signal=15):
        """Does not remove its directory."""
        if self.process.poll() is None:
            self.process.send_signal(signal)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.end()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Pyralog(Server):
    name = "pyralog"

    def __init__(self, scratch, *arguments, environment=None):
        self.port = free_port()
        began = time.monotonic()
        super().__init__([product("pyralog"), "serve", "--port", str(self.port), "--log-level", "error", *arguments],
                         scratch, environment)
        self.start_seconds = time.monotonic() - began

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except http.client.HTTPException:
            return False
        finally:
            connection.close()

    def call(self, method, path, body=None, content_type="application/json"):
        """The decoded answer. Ends the script where it is no success: then nothing that follows would be a figure."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url(path), data, {"Content-Type": content_type}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            fail(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}")
        except OSError as error:
            fail(f"{method} {path}: {error}; the server's exit code is {self.process.poll()}\n{self.log_text()}")
        return json.loads(text) if text[:1] in (b"{", b"[") else text

    def head(self, path):
        """The fields of an answer."""
        with urllib.request.urlopen(urllib.request.Request(self.url(path), method="HEAD"), timeout=30) as answer:
            return answer.headers

    def log(self, name, **config):
        self.call("PUT", f"/v1/logs/{name}", config)

    def sql(self, text):
        return self.call("POST", "/v1/sql", {"sql": text})["rows"]


class Hello(Server):
    """Bare libmicrohttpd, the limit of what HTTP can be here: GET has 100 bytes, PUT is read and dropped."""

    name = "libmicrohttpd"

    def __init__(self, scratch):
        self.port = free_port()
        super().__init__([product("HelloServer"), str(self.port)], scratch)


class Nginx(Server):
    name = "nginx"

    def __init__(self, scratch):
        self.port = free_port()
        configuration = os.path.join(scratch, "nginx.conf")
        with open(configuration, "w") as file:
            file.write(f"""
                daemon off; pid nginx.pid; error_log stderr error; worker_processes 2;
                events {{ worker_connections 4096; }}
                http {{ access_log off; keepalive_requests 1000000000; server {{
                    listen 127.0.0.1:{self.port}; location / {{ return 200 "{VALUE}"; }} }} }}""")
        super().__init__(["/usr/sbin/nginx", "-p", scratch, "-c", configuration], scratch)


class Redis(Server):
    name = "redis"

    def __init__(self, scratch, *arguments):
        self.port = free_port()
        super().__init__(["/usr/bin/redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
                          "--appendonly", "no", *arguments], scratch)

    def call(self, *words):
        """What redis-cli prints, by lines."""
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True,
                              check=True).stdout.splitlines()


class Webdis(Server):
    """HTTP in front of a Redis."""

    name = "webdis"

    def __init__(self, scratch, redis):
        self.port = free_port()
        configuration = os.path.join(scratch, "webdis.json")
        with open(configuration, "w") as file:
            json.dump({"redis_host": "127.0.0.1", "redis_port": redis.port, "http_host": "127.0.0.1",
                       "http_port": self.port, "threads": 2, "pool_size": 20, "daemonize": False, "verbosity": 0,
                       "logfile": os.path.join(scratch, "webdis.out")}, file)
        super().__init__(["/usr/bin/webdis", configuration], scratch)

    def call(self, path):
        with urllib.request.urlopen(self.url(path), timeout=30) as answer:
            return json.loads(answer.read())


class Memcached(Server):
    name = "memcached"

    def __init__(self, scratch, mebibytes=4096):
        self.port = free_port()
        super().__init__(["/usr/bin/memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-t", "2",
                          "-m", str(mebibytes), "-c", "4096"], scratch)

    def get(self, key):
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection, connection.makefile("rwb") as stream:
            stream.write(f"get {key}\r\n".encode())
            stream.flush()
            head = stream.readline().split()
            return stream.read(int(head[3])).decode() if head[0] == b"VALUE" else None


class Postgres(Server):
    """A cluster of its own in the scratch directory. It refuses to run as root, so root runs it as its own user."""

    name = "postgres"

    def __init__(self, scratch, *settings):
        tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
        if not tools:
            fail("PostgreSQL is not installed: scripts/bootstrap --bench")
        self.tools = tools[-1]
        self.port = free_port()
        self.cluster = tempfile.mkdtemp(prefix="cluster-", dir=scratch)
        if os.geteuid() == 0:
            shutil.chown(self.cluster, "postgres")
        data = os.path.join(self.cluster, "data")
        self.run("initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--locale", "C", "-U", "postgres", "--no-sync")
        options = ["listen_addresses=127.0.0.1", "max_connections=300", "shared_buffers=1GB", "max_wal_size=4GB", *settings]
        super().__init__(
            [*self.prefix(), f"{self.tools}/postgres", "-D", data, "-p", str(self.port), "-k", self.cluster,
             *(word for option in options for word in ("-c", option))], scratch)

    def prefix(self):
        # setpriv becomes the server: its process is the one that is signalled.
        if os.geteuid() != 0:
            return []
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--reset-env"]

    def run(self, tool, *arguments):
        done = subprocess.run([*self.prefix(), f"{self.tools}/{tool}", *arguments], capture_output=True, text=True,
                              cwd=self.cluster)
        if done.returncode:
            fail(f"{tool}: {done.stderr or done.stdout}")
        return done.stdout

    def is_ready(self):
        done = subprocess.run([f"{self.tools}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)])
        return done.returncode == 0

    def end(self, signal=2):
        """SIGINT: it does not wait for its clients."""
        super().end(signal)

    def stop(self):
        super().stop()
        shutil.rmtree(self.cluster, ignore_errors=True)

    def sql(self, text):
        """Rows, each a list of texts."""
        output = self.run("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-X", "-q", "-A", "-t", "-F", "\t",
                          "-v", "ON_ERROR_STOP=1", "-c", text, "postgres")
        return [line.split("\t") for line in output.splitlines()]
