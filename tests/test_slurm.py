"""Rows through a real SLURM, started here on the loopback interface, in folders of its own.

Set GLASSDATA_NEED_SLURM to make its absence a failure, as ``.ci/run`` does.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import dask
import fake_glass as fake
import pytest
import yaml
from fake_glass import contents

from glassdata.engine import build
from glassdata.engine.slurm import slurm_job
from glassdata.store.rows import read_provenance

HERE = Path(__file__).parent
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "sinfo", "squeue")
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])

SLURM = """
ClusterName=test
SlurmctldHost=localhost
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
SchedulerParameters=sched_interval=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MpiDefault=none
NodeName=localhost CPUs=2 RealMemory=2100 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
"""
JOBS = """
jobqueue:
  slurm:
    cores: {cores}
    memory: {memory}MB
    walltime: "00:10:00"
    interface: lo
    log-directory: {folder}/jobs
    local-directory: {folder}/spill
    worker-extra-args: {arguments}
"""


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unavailable(reason: str) -> None:
    if os.environ.get("GLASSDATA_NEED_SLURM"):
        pytest.fail(reason)
    pytest.skip(reason)


def stop(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Environment of the commands of a cluster of one node with two processors."""
    pytest.importorskip("dask_jobqueue")
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        unavailable(f"SLURM is not installed: no {missing[0]}")
    folder = tmp_path_factory.mktemp("slurm")
    for name in ("state", "spool", "jobs"):
        (folder / name).mkdir()
    ports = {"controller": free_port(), "daemon": free_port()}
    user = subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
    (folder / "slurm.conf").write_text(SLURM.format(folder=folder, user=user, **ports))
    environment = os.environ | {
        "PATH": PATH,
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
        "SLURM_CONF": str(folder / "slurm.conf"),
        "DASK_CONFIG": str(folder),
    }
    with ExitStack() as running:
        try:
            start(folder, environment, running)
        except OSError as error:
            unavailable(f"SLURM does not start: {error}")
        yield environment
        subprocess.run(["scancel", "--state=RUNNING"], env=environment, check=False)


def start(folder: Path, environment: dict[str, str], running: ExitStack) -> None:
    (folder / "munge.key").write_bytes(os.urandom(1024))
    (folder / "munge.key").chmod(0o600)
    files = {"socket": "socket", "key-file": "key", "log-file": "log", "pid-file": "pid"}
    places = [f"--{option}={folder}/munge.{end}" for option, end in files.items()]
    commands = [
        ["munged", "--foreground", "--force", *places, f"--seed-file={folder}/munge.seed"],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    ]
    with open(folder / "daemons.log", "wb") as log:
        for command in commands:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
            running.callback(stop, process)
            time.sleep(0.5)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        nodes = subprocess.run(
            ["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True
        )
        if nodes.stdout.strip() == "idle":
            return
        time.sleep(0.2)
    last = (folder / "daemons.log").read_text(errors="replace").strip().splitlines()[-3:]
    raise OSError(" / ".join([nodes.stdout.strip(), nodes.stderr.strip(), *last]))


@pytest.fixture
def jobs(slurm, tmp_path):
    """The environment, with a ``jobqueue.yaml``; returns a function that writes another one."""

    def configure(arguments: str = "[]", cores: int = 1) -> dict[str, str]:
        folder = Path(slurm["DASK_CONFIG"])
        numbers = {"cores": cores, "memory": 700 * cores}
        text = JOBS.format(folder=folder, arguments=arguments, **numbers)
        (folder / "jobqueue.yaml").write_text(text)
        habits = tmp_path / "habits"
        habits.mkdir(exist_ok=True)
        return slurm | {"GLASSDATA_FAKE": str(habits)}

    return configure


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The fake glass, built by one process of this machine."""
    store = tmp_path_factory.mktemp("reference") / "store"
    assert build(store, workers=1, source=fake.source(fake.plain_row)).complete
    return store


def fake_build(store: Path, workers, environment: dict[str, str], **options) -> subprocess.Popen:
    code = (
        "import sys, fake_glass; from glassdata.engine import build, slurm\n"
        "slurm._ROUND = 1.0\n"
        f"done = build({str(store)!r}, workers={workers!r}, cluster='slurm',"
        f" source=fake_glass.source(), say=sys.stderr.write, **{options!r})\n"
        "raise SystemExit(not done.complete)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True
    )


def job_numbers(environment: dict[str, str], states: str = "RUNNING") -> set[str]:
    listed = subprocess.run(
        ["squeue", "-h", "-t", states, "-o", "%i"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(listed.stdout.split())


def jobs_of(process: subprocess.Popen, environment: dict[str, str]) -> set[str]:
    """All jobs seen until a build has ended well; none may be left then."""
    seen, deadline = set(), time.monotonic() + 240
    while process.poll() is None:
        seen |= job_numbers(environment, "PENDING,RUNNING")
        if time.monotonic() > deadline:
            process.send_signal(signal.SIGINT)
            pytest.fail(f"the build does not end: {process.communicate(timeout=60)[1]}")
        time.sleep(0.1)
    assert process.returncode == 0, process.stderr.read()
    assert job_numbers(environment, "PENDING,RUNNING") == set()
    return seen


def wait_for_job(environment: dict[str, str], known: set[str]) -> str:
    """A job that waits in the queue and is not a known one."""
    deadline = time.monotonic() + 180  # seconds; long only on a machine with much else to do
    while not (new := job_numbers(environment, "PENDING") - known):
        assert time.monotonic() < deadline, "no job was submitted"
        time.sleep(0.1)
    return new.pop()


def test_the_example_in_the_book_is_valid():
    """Every key is one that dask-jobqueue knows, and workers have one thread and an end."""
    pytest.importorskip("dask_jobqueue")
    text = (HERE.parent / "book/_static/jobqueue.yaml").read_text()
    example = yaml.safe_load(text)["jobqueue"]["slurm"]
    assert example.keys() <= dask.config.get("jobqueue.slurm").keys()
    with dask.config.set({"jobqueue.slurm": dask.config.get("jobqueue.slurm") | example}):
        job = slurm_job(None)
    assert job["cores"] == job["processes"]
    assert "--lifetime" in job["worker_extra_args"]
    assert "export OMP_NUM_THREADS=1" in job["job_script_prologue"]
    assert f"export MALLOC_TRIM_THRESHOLD_={2**26}" in job["job_script_prologue"]


def test_jobs_make_the_rows_that_this_machine_makes(jobs, tmp_path):
    """The command itself, on a real glass: the same bytes as without SLURM."""
    command = [sys.executable, "-m", "glassdata", "build", tmp_path / "there"]
    options = ["--system", "lj3d", "--limit", "4", "--workers", "2", "--cluster", "slurm"]
    subprocess.run([*command, *options], env=jobs(), check=True, timeout=300)
    assert build(tmp_path / "here", names=["lj3d"], limit=4, workers=2).complete
    assert contents(tmp_path / "here") == contents(tmp_path / "there")
    (facts, *_) = read_provenance(tmp_path / "there", "lj3d")
    assert facts["n_atoms"] > 0


def test_a_job_that_slurm_refuses_is_one_clear_line(jobs, tmp_path):
    environment = jobs("[]") | {"DASK_JOBQUEUE__SLURM__QUEUE": "nowhere"}
    options = ["--system", "lj3d", "--cluster", "slurm", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "glassdata", "build", tmp_path / "store", *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("glassdata: error: SLURM refuses the jobs"), done.stderr
    assert "partition" in done.stderr


def test_a_cancelled_job_does_not_matter(jobs, tmp_path, reference):
    environment = jobs()
    habits = Path(environment["GLASSDATA_FAKE"])
    (habits / "slow").write_text("0.5")
    store = tmp_path / "store"
    process = fake_build(store, 2, environment)
    deadline = time.monotonic() + 240
    while len(list(store.glob("rows/*/[0-9]*.npz"))) < 3:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, "no rows appeared"
        time.sleep(0.05)
    cancelled = sorted(job_numbers(environment))[0]
    subprocess.run(["scancel", "--signal=KILL", "--full", cancelled], env=environment, check=True)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert contents(store) == contents(reference)
    assert job_numbers(environment) == set()


def seconds_of_a_start() -> float:
    """What the first row of a worker waits for, mostly; on a busy machine it takes much longer."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import glassdata.engine"], check=True)
    return time.monotonic() - began


@pytest.mark.parametrize("cores", [1, 2])
def test_workers_whose_time_is_over_are_replaced(jobs, tmp_path, reference, cores, chaos):
    """Jobs of eight seconds hand back their row and end; their end is held against no row."""
    if cores == 1 and not chaos.full:
        pytest.skip("long: make chaos runs it; jobs of two workers are the harder case")
    # A worker must have time left when it has started.
    life = max(8.0, 5 * seconds_of_a_start())
    environment = jobs(f"['--lifetime', '{life:.1f}s', '--lifetime-stagger', '1s']", cores)
    # Eight rows keep two workers busy for longer than that.
    (Path(environment["GLASSDATA_FAKE"]) / "slow").write_text(f"{0.31 * life:.1f}")
    store = tmp_path / "store"
    with fake_build(store, (0, 2), environment, names=["ar"]) as process:
        seen = jobs_of(process, environment)
    rows = [{k: v for k, v in contents(s).items() if "rows/ar" in k} for s in (store, reference)]
    assert rows[0] == rows[1]
    assert len(seen) > 2 // cores, "no job was replaced"


@pytest.mark.parametrize(("workers", "limit", "count"), [(2, 1, 1), (3, None, 2)])
def test_no_more_jobs_than_there_is_work_for(jobs, tmp_path, workers, limit, count, chaos):
    """One row, and a number of workers that whole jobs do not make: nothing comes and goes."""
    if limit and not chaos.full:
        pytest.skip("long: make chaos runs it; three workers in jobs of two are the harder case")
    environment = jobs(cores=2)
    (Path(environment["GLASSDATA_FAKE"]) / "slow").write_text("3" if limit else "0.4")
    options = {"names": ["ar"], "limit": limit}
    with fake_build(tmp_path / "store", workers, environment, **options) as process:
        assert len(jobs_of(process, environment)) == count


@pytest.mark.parametrize("cores", [1, 2])
def test_a_job_that_is_cancelled_before_it_began_is_replaced(jobs, tmp_path, cores, chaos):
    if cores == 1 and not chaos.full:
        pytest.skip("long: make chaos runs it; jobs of two workers are the harder case")
    environment = jobs(cores=cores)
    sleep = ["sbatch", "--parsable", "--exclusive", "--output=/dev/null", "--wrap", "sleep 120"]
    done = subprocess.run(sleep, env=environment, capture_output=True, text=True, check=True)
    busy = done.stdout.strip()
    with fake_build(tmp_path / "store", 1, environment, names=["ar"], limit=2) as process:
        first = wait_for_job(environment, {busy})
        subprocess.run(["scancel", first], env=environment, check=True)
        wait_for_job(environment, {busy, first})
        subprocess.run(["scancel", busy], env=environment, check=True)
        jobs_of(process, environment)


def test_sbatch_and_squeue_may_fail_for_a_while(jobs, tmp_path):
    """Of two jobs one is refused at first, and the queue cannot be asked at first."""
    environment = jobs()
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sbatch", "squeue"):
        real = shutil.which(name, path=PATH)
        (programs / name).write_text(
            f'#!/bin/sh\nif [ "$1" != --test-only ] && mkdir {programs}/{name}-failed 2>/dev/null\n'
            f'then echo {name}: refused for a while >&2; exit 1; fi\nexec {real} "$@"\n'
        )
        (programs / name).chmod(0o755)
    (Path(environment["GLASSDATA_FAKE"]) / "slow").write_text("1.5")
    own = environment | {"PATH": f"{programs}{os.pathsep}{PATH}"}
    with fake_build(tmp_path / "store", 2, own, names=["ar"]) as process:
        assert len(jobs_of(process, environment)) == 2
        said = process.stderr.read()
    assert said == "SLURM did not take all jobs, and is asked again: sbatch: refused for a while"
    assert (programs / "squeue-failed").exists()
