"""Does any test notice when one line of the science layer is wrong? ``make mutants``.

Cosmic Ray makes the mutants (one operator or number changed); this script draws a sample of them,
module by module, and runs for each the examples in its module and the test files that concern it.
Every run is a fork of one process that has loaded the libraries, on a copy of the repository, so a
mutant costs the seconds of its tests. A mutant that no test notices has survived, and is shown. A
test that noticed one must pass on the unchanged code, or the run ends: it proves nothing.
"""

import ast
import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from difflib import unified_diff
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path

import click
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]

#: Test files by the modules they concern; the first pattern that fits a module counts.
TESTS = {
    "glassdata/protocols/melt.py": (
        "test_oracle_protocols",
        "test_lammps",
        "test_quench",
        "test_identity",
    ),
    "glassdata/protocols/dynamics.py": ("test_quench", "test_propensity", "test_kernels"),
    "glassdata/protocols/quench.py": ("test_quench", "test_identity", "test_generate"),
    "glassdata/protocols/montecarlo.py": ("test_swap", "test_kernels"),
    "glassdata/protocols/swap.py": ("test_swap", "test_identity", "test_generate"),
    "glassdata/protocols/liquid.py": (
        "test_swap",
        "test_quench",
        "test_generate",
        "test_propensity",
    ),
    "glassdata/protocols/pairs.py": ("test_lammps", "test_quench"),
    "glassdata/propensity.py": ("test_propensity",),
    "glassdata/surroundings.py": ("test_propensity",),
    "glassdata/experiments/propensity.py": ("test_versions", "test_propensity"),
    "glassdata/experiments/motion.py": ("test_versions", "test_propensity"),
    "glassdata/protocols/external.py": ("test_elsewhere",),
    "glassdata/protocols/joined.py": ("test_joined", "test_identity"),
    "glassdata/protocols/plan.py": (
        "test_oracle_protocols",
        "test_joined",
        "test_identity",
        "test_generate",
    ),
    "glassdata/protocols/sheet.py": (
        "test_oracle_protocols",
        "test_identity",
        "test_generate",
        "test_minimise",
    ),
    "glassdata/protocols/*.py": ("test_oracle_protocols", "test_identity", "test_generate"),
    "glassdata/systems/hea.py": ("test_hea", "test_identity"),
    "glassdata/systems/ka2d.py": (
        "test_swap",
        "test_oracle_systems",
        "test_identity",
        "test_propensity",
    ),
    "glassdata/systems/ka3d.py": ("test_quench", "test_oracle_systems", "test_identity"),
    "glassdata/systems/sic.py": (
        "test_oracle_systems",
        "test_identity",
        "test_generate",
        "test_origin",
    ),
    "glassdata/systems/lj.py": (
        "test_oracle_systems",
        "test_identity",
        "test_generate",
        "test_order",
    ),
    "glassdata/systems/*.py": ("test_oracle_systems", "test_identity", "test_generate"),
    "glassdata/row.py": ("test_oracle_rows", "test_one_thread", "test_identity", "test_generate"),
    "glassdata/describe.py": ("test_oracle_rows", "test_identity", "test_stress", "test_generate"),
    "glassdata/system.py": ("test_oracle_systems", "test_identity", "test_oracle_rows"),
    "glassdata/crystal.py": ("test_oracle_systems", "test_identity", "test_oracle_bands"),
    "glassdata/images.py": ("test_images", "test_bands"),
    "glassdata/lanes.py": ("test_dynamical", "test_kpm"),
    "glassdata/bands.py": ("test_oracle_bands", "test_bands"),
    "glassdata/estimate.py": ("test_oracle_estimate",),
    "glassdata/structures.py": ("test_dataset", "test_whole"),
    "glassdata/evaluation.py": (
        "test_models",
        "test_one_thread",
        "test_leakage",
        "test_shipped_results",
        "test_contests",
    ),
    "glassdata/scores.py": ("test_models", "test_contests", "test_plots"),
    "glassdata/regression.py": ("test_models", "test_modelfile"),
    "glassdata/tuning.py": (
        "test_versions",
        "test_models",
        "test_one_thread",
        "test_leakage",
        "test_shipped_results",
    ),
    "glassdata/models/*.py": (
        "test_versions",
        "test_models",
        "test_modelfile",
        "test_executes_nothing",
        "test_shipped_results",
    ),
    "glassdata/intervals.py": ("test_intervals",),
    "glassdata/trained.py": ("test_intervals", "test_own_files"),
    "glassdata/gathered.py": ("test_folders",),
    "glassdata/measured/dft.py": ("test_curvature",),
    "glassdata/measured/silicon.py": ("test_analysis_coverage", "test_intervals", "test_measured"),
    "glassdata/measured/*.py": ("test_measured",),
    "glassdata/potentials/differences.py": ("test_calculator", "test_curvature"),
    "glassdata/potentials/calculator.py": ("test_calculator", "test_curvature"),
    "glassdata/engine/displacing.py": ("test_calculator",),
    "glassdata/experiments/coverage.py": ("test_intervals", "test_shipped_results"),
    "glassdata/experiments/*/coverage.py": ("test_analysis_coverage",),
    "glassdata/experiments/*/why.py": ("test_why",),
    "glassdata/experiments/why.py": ("test_versions", "test_why", "test_shipped_results"),
    "glassdata/experiments/explanations.py": (
        "test_versions",
        "test_why",
    ),
    "glassdata/experiments/contests.py": (
        "test_versions",
        "test_contests",
        "test_beyond",
        "test_descriptors",
    ),
    "glassdata/experiments/contenders.py": (
        "test_versions",
        "test_contests",
        "test_shipped_results",
    ),
    "glassdata/experiments/glasses.py": ("test_versions", "test_contests", "test_shipped_results"),
    "glassdata/experiments/signal.py": (
        "test_versions",
        "test_contests",
        "test_tables",
        "test_shipped_results",
    ),
    "glassdata/experiments/planted.py": (
        "test_versions",
        "test_planted",
    ),
    "glassdata/experiments/pairs.py": ("test_pairs", "test_driven"),
    "glassdata/experiments/driven.py": ("test_versions", "test_driven"),
    "glassdata/stiffness.py": ("test_descriptors",),
    "glassdata/experiments/fingerprints.py": ("test_versions", "test_descriptors"),
    "glassdata/experiments/descriptors.py": (
        "test_versions",
        "test_descriptors",
        "test_shipped_results",
    ),
    "glassdata/experiments/targets.py": ("test_versions", "test_beyond"),
    "glassdata/experiments/observables.py": ("test_versions", "test_beyond", "test_descriptors"),
    "glassdata/experiments/beyond.py": (
        "test_versions",
        "test_beyond",
        "test_descriptors",
        "test_shipped_results",
    ),
    "glassdata/experiments/said/claim.py": ("test_said", "test_gallery"),
    "glassdata/experiments/said/coverage.py": ("test_said", "test_analysis_coverage"),
    "glassdata/experiments/said/why.py": ("test_said", "test_why"),
    "glassdata/experiments/said/*.py": ("test_said",),
    "glassdata/experiments/tables/contests.py": ("test_contests",),
    "glassdata/experiments/tables/driven.py": ("test_driven",),
    "glassdata/experiments/tables/glasses.py": ("test_plots", "test_tables"),
    "glassdata/experiments/tables/*.py": ("test_tables",),
    "glassdata/experiments/claims.py": (
        "test_versions",
        "test_tables",
    ),
    "glassdata/experiments/components.py": ("test_versions", "test_said", "test_analysis_reading"),
    "glassdata/experiments/halves.py": (
        "test_versions",
        "test_analysis_reading",
        "test_said",
        "test_tables",
    ),
    "glassdata/experiments/elsewhere.py": (
        "test_versions",
        "test_analysis_objections",
        "test_elsewhere",
        "test_shipped_results",
    ),
    "glassdata/experiments/checks.py": (
        "test_versions",
        "test_analysis_objections",
    ),
    "glassdata/experiments/objections.py": (
        "test_versions",
        "test_analysis_objections",
        "test_leakage",
    ),
    "glassdata/experiments/words.py": (
        "test_versions",
        "test_analysis_words",
        "test_analysis_objections",
        "test_said",
    ),
    "glassdata/experiments/reading.py": (
        "test_versions",
        "test_analysis_reading",
        "test_tables",
        "test_said",
    ),
    "glassdata/experiments/shells.py": (
        "test_versions",
        "test_analysis_reading",
        "test_tables",
        "test_said",
    ),
    "glassdata/experiments/standings.py": (
        "test_versions",
        "test_analysis_standings",
    ),
    "glassdata/experiments/verdicts.py": (
        "test_versions",
        "test_analysis_verdicts",
        "test_analysis_objections",
        "test_tables",
        "test_said",
    ),
    "glassdata/experiments/inverse.py": ("test_versions", "test_inverse"),
    "glassdata/experiments/judged.py": ("test_versions", "test_curvature"),
    "glassdata/experiments/potentials.py": ("test_versions", "test_curvature"),
    "glassdata/experiments/sevennet.py": ("test_versions", "test_curvature"),
    "glassdata/experiments/referee.py": (
        "test_versions",
        "test_leakage",
        "test_contests",
        "test_experiments_oracle",
        "test_experiments",
        "test_shipped_results",
    ),
    "glassdata/experiments/runner.py": (
        "test_versions",
        "test_experiments",
        "test_beyond",
        "test_outputs",
        "test_contests",
    ),
    "glassdata/experiments/*.py": (
        "test_versions",
        "test_shipped_results",
        "test_one_thread",
        "test_experiments_oracle",
        "test_experiments",
        "test_analysis_objections",
        "test_plots",
    ),
    "glassdata/cli/observing.py": ("test_observe", "test_interface"),
    "glassdata/cli/judging.py": ("test_curvature", "test_interface"),
    "glassdata/cli/streams.py": ("test_oracle_cli", "test_outputs", "test_interface"),
    "glassdata/cli/outputs.py": (
        "test_oracle_cli",
        "test_outputs",
        "test_cli",
        "test_measured",
        "test_interface",
    ),
    "glassdata/cli/calculators.py": ("test_own_files", "test_interface"),
    "glassdata/cli/formats.py": ("test_own_files", "test_measured", "test_interface"),
    "glassdata/cli/inputs.py": (
        "test_oracle_cli",
        "test_own_files",
        "test_cli",
        "test_outputs",
        "test_bounds",
        "test_interface",
    ),
    "glassdata/cli/predicting.py": (
        "test_own_files",
        "test_intervals",
        "test_cli",
        "test_interface",
    ),
    "glassdata/cli/own.py": ("test_own_files", "test_cli", "test_oracle_cli", "test_interface"),
    "glassdata/cli/computing.py": ("test_own_files", "test_folders", "test_interface"),
    "glassdata/cli/folders.py": ("test_folders", "test_interface"),
    "glassdata/cli/fitting.py": ("test_folders", "test_cli", "test_interface"),
    "glassdata/cli/experiment.py": (
        "test_oracle_cli",
        "test_cli",
        "test_experiments",
        "test_interface",
    ),
    "glassdata/cli/*.py": ("test_oracle_cli", "test_cli", "test_interface"),
}
EXAMPLES = "tests/test_docstrings.py"
#: Decorators bring speed (cache) or break everything (dataclass); variables would need their names.
LEFT_OUT = ("core/RemoveDecorator", "core/VariableInserter", "core/VariableReplacer")
# Small numbers and names are one object each: == and "is" cannot be told apart.
LEFT_OUT += tuple(
    f"core/ReplaceComparisonOperator_{pair}"
    for pair in ("Eq_Is", "Is_Eq", "NotEq_IsNot", "IsNot_NotEq")
)
#: Texts are equal or not. Whether one comes before another in the alphabet is a mistake that nobody
#: makes, and of two words that a setting may be, one always does.
ORDERED = tuple(
    f"core/ReplaceComparisonOperator_{one}_{other}"
    for one in ("Eq", "NotEq")
    for other in ("Lt", "LtE", "Gt", "GtE")
)
#: Arguments that bring speed, or guard against mistakes of our own.
SILENT = ("assume_finite", "check_finite", "full_matrices", "overwrite_a", "repr", "strict")
#: Libraries that are loaded once for all mutants.
LIBRARIES = ("ase.build", "ase.io", "distributed", "hypothesis", "matplotlib.figure", "matscipy")
LIBRARIES += ("numba", "pytest", "scipy.stats", "sklearn.linear_model", "xarray", "zarr")
#: Seconds for the tests of a mutant, which may never come to an end.
LIMIT = 600.0

_trees: "multiprocessing.Queue[Path]"
_tree: Path


@dataclass(frozen=True)
class Mutant:
    """One change of one module: operator and occurrence as Cosmic Ray counts them."""

    module: str
    operator: str
    occurrence: int

    def code(self) -> str:
        """The changed module."""
        return mutate_code(
            (ROOT / self.module).read_text(), _operator(self.operator), self.occurrence
        )

    def diff(self) -> str:
        """The lines that differ."""
        old = (ROOT / self.module).read_text().splitlines()
        lines = list(unified_diff(old, self.code().splitlines(), lineterm="", n=0))
        where = lines[2].split()[1].removeprefix("-").partition(",")[0]
        return "\n".join([f"{self.module}:{where}", *(f"  {line}" for line in lines[3:])])


def tests_of(module: str) -> list[str]:
    """The test files that concern a module, those that exist."""
    stems = next(tests for pattern, tests in TESTS.items() if fnmatch(module, pattern))
    return [f"tests/{stem}.py" for stem in stems if (ROOT / f"tests/{stem}.py").exists()]


def examples_of(module: str) -> list[str]:
    """The test of the examples in a module, if it has any."""
    if ">>> " not in (ROOT / module).read_text():
        return []
    return [f"{EXAMPLES}::test_examples[{module.removeprefix('glassdata/')}]"]


def places(module: str) -> dict[tuple, list[Mutant]]:
    """The mutants of a module by the place of the change, but for type annotations."""
    source = (ROOT / module).read_text()
    nodes = list(ast_nodes(get_ast(source)))
    silent, words = _silent(source), _comparisons_of_words(source)
    found: dict[tuple, list[Mutant]] = {}
    for name in sorted(set(operator_names()) - set(LEFT_OUT)):
        operator = _operator(name)
        spans = [span for node in nodes for span in operator.mutation_positions(node)]
        left_out = silent + words if name in ORDERED else silent
        for occurrence, (start, end) in enumerate(spans):
            if not any(first <= start < last for first, last in left_out):
                found.setdefault((start, end), []).append(Mutant(module, name, occurrence))
    return found


def sample(modules: list[str], count: int, seed: int) -> list[Mutant]:
    """About ``count`` mutants, in proportion to the places of each module, at least three each."""
    rng = random.Random(seed)
    all_places = {module: places(module) for module in modules}
    total = sum(map(len, all_places.values()))
    chosen = []
    for there in all_places.values():
        n = min(len(there), max(3, round(count * len(there) / total)))
        chosen += [rng.choice(there[place]) for place in rng.sample(sorted(there), n)]
    rng.shuffle(chosen)
    return chosen


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed, survived or timeout; and the test that noticed it."""

    state: str
    seconds: float
    test: str


def outcome(mutant: Mutant) -> Outcome:
    """Run the examples and the tests that concern a mutant, on the copy of this process."""
    path = _tree / mutant.module
    original, stamp = path.read_text(), path.stat()
    try:
        path.write_text(mutant.code())
        return _outcome(examples_of(mutant.module) + tests_of(mutant.module))
    finally:
        path.write_text(original)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def unchanged(test: str) -> Outcome:
    """Run one test on the code as it is."""
    return _outcome([test])


@click.command(help=__doc__)
@click.option("--count", default=150, show_default=True, help="How many mutants, about.")
@click.option("--seed", default=0, show_default=True, help="Draws the same mutants again.")
@click.option(
    "--minutes", default=20.0, show_default=True, help="Mutants not tried by then stay so."
)
@click.option("--workers", default=os.cpu_count() or 1, show_default=True)
@click.option("--only", default="glassdata/*", help="Pattern of modules.")
def main(count: int, seed: int, minutes: float, workers: int, only: str) -> None:
    end = time.monotonic() + 60 * minutes
    files = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("glassdata/**/*.py"))
    modules = [m for m in files if fnmatch(m, only) and any(fnmatch(m, p) for p in TESTS)]
    mutants = sample([m for m in modules if places(m)], count, seed)
    for library in LIBRARIES:
        __import__(library)
    results: dict[Mutant, str] = {}
    sound: dict[str, Future[Outcome]] = {}
    with tempfile.TemporaryDirectory() as folder, _pool(Path(folder), workers) as pool:
        jobs = {pool.submit(outcome, mutant): mutant for mutant in mutants}
        for job in as_completed(jobs):
            if job.cancelled():
                continue
            mutant, found = jobs[job], job.result()
            results[mutant] = found.state
            told = f"{found.state}, {found.seconds:.0f} s: {mutant.diff()}"
            click.echo(f"{len(results)}/{len(mutants)} {told}")
            if found.test and found.test not in sound:
                sound[found.test] = pool.submit(unchanged, found.test)
            if time.monotonic() > end:  # those under way count: survivors take longest
                for other in jobs:
                    other.cancel()
        for test, job in sound.items():
            if job.result().state != "survived":
                sys.exit(f"error: {test} fails without a mutant")
    click.echo(f"\n{len(sound)} tests noticed mutants; all pass without one")
    _report(results, len(mutants), seed)


def _report(results: dict[Mutant, str], drawn: int, seed: int) -> None:
    survivors = [mutant for mutant, state in results.items() if state == "survived"]
    click.echo(f"\n{len(survivors)} survivors:")
    for mutant in sorted(survivors, key=lambda m: m.module):
        click.echo(mutant.diff())
    click.echo(f"\n{'module':40} killed  survived  score")
    for module in sorted({mutant.module for mutant in results}):
        _line(module, [state for mutant, state in results.items() if mutant.module == module])
    _line("all", list(results.values()))
    left = f"; {drawn - len(results)} not tried for want of time" if drawn > len(results) else ""
    click.echo(f"seed {seed}, {len(results)} mutants{left}")


def _line(name: str, states: list[str]) -> None:
    survived = states.count("survived")
    share = 100 * (1 - survived / len(states))
    click.echo(f"{name:40} {len(states) - survived:6d} {survived:9d} {share:5.0f} %")


def _operator(name: str):
    return get_operator(name)()


def _silent(source: str) -> list[tuple]:
    """Spans of annotations, whose ``int | None`` is no arithmetic, of decorators and ``SILENT``.

    What is imported for the type checker alone has no effect either, the star before arguments that
    must be named multiplies nothing, and in a shape any negative number is to NumPy what -1 is.
    """
    spans = []
    for node in ast.walk(ast.parse(source)):
        silent = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            silent.append(node)
        if isinstance(node, ast.keyword) and node.arg in SILENT:
            silent.append(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "reshape":
            silent += [one for one in _entries(node) if isinstance(one, ast.UnaryOp)]
        if isinstance(node, ast.FunctionDef) and node.args.kwonlyargs and not node.args.vararg:
            plain = [*node.args.posonlyargs, *node.args.args, *node.args.defaults]
            begin = max([(node.lineno, node.col_offset), *map(_end, plain)])
            spans.append((begin, _start(node.args.kwonlyargs[0])))
        for part in (*silent, *getattr(node, "decorator_list", ())):
            if isinstance(part, ast.AST):
                spans.append((_start(part), _end(part)))
    return spans


def _entries(call: ast.Call) -> list[ast.expr]:
    """Arguments of a call, and what stands in those that are tuples."""
    tuples = [arg.elts for arg in call.args if isinstance(arg, ast.Tuple)]
    return [*call.args, *(one for elements in tuples for one in elements)]


def _comparisons_of_words(source: str) -> list[tuple]:
    """Spans of the operators between something and a text that stands in the code."""
    spans = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for left, right in pairwise(sides):
                if any(isinstance(getattr(side, "value", None), str) for side in (left, right)):
                    spans.append((_end(left), _start(right)))
    return spans


def _start(node) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset


def _pool(folder: Path, workers: int) -> ProcessPoolExecutor:
    """Processes with a copy of the repository each."""
    context = multiprocessing.get_context("fork")
    global _trees
    _trees = context.Queue()
    for number in range(workers):
        tree = folder / str(number)
        for part in ("glassdata", "tests"):
            shutil.copytree(ROOT / part, tree / part)
        for path in ROOT.iterdir():  # what tests read beside the code
            if path.name not in ("glassdata", "tests", ".git") and not path.name.startswith("."):
                (tree / path.name).symlink_to(path)
        _trees.put(tree)
    return ProcessPoolExecutor(workers, context, _enter)


def _enter() -> None:
    global _tree
    _tree = _trees.get()
    os.chdir(_tree)
    sys.path.insert(0, str(_tree))
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONPATH": str(_tree), "PYTHONDONTWRITEBYTECODE": "1"}


def _outcome(tests: list[str]) -> Outcome:
    """Run tests in a fork, which has everything loaded but our own package."""
    start = time.monotonic()
    noticed = _tree / "noticed.txt"
    noticed.write_text("")
    pid = os.fork()
    if pid == 0:
        _run_tests(tests, noticed)
    state = "timeout"
    while time.monotonic() < start + LIMIT:
        time.sleep(0.02)
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            state = "killed" if status else "survived"
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # workers that the tests started, too
    if state == "timeout":
        os.waitpid(pid, 0)
    return Outcome(state, time.monotonic() - start, noticed.read_text())


class _Noticed:
    """Plugin of pytest: keeps the name of a test that fails, or of a file that cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed:
            self.path.write_text(report.nodeid)

    def pytest_collectreport(self, report) -> None:
        if report.failed:
            self.path.write_text(report.nodeid)


def _run_tests(tests: list[str], noticed: Path) -> None:
    """Never returns: ends this process with the status of pytest."""
    import pytest

    os.setsid()
    output = os.open(_tree / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = 1
    try:
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-seed=0"]
        status = pytest.main([*options, *tests], plugins=[_Noticed(noticed)])
    finally:
        sys.stdout.flush()
        os._exit(int(status))


if __name__ == "__main__":
    main()
